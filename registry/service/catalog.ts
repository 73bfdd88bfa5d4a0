// SPDX-License-Identifier: Apache-2.0
import type { ObjectStore } from '../storage/contract.ts';
import { CATALOG_PREFIX, catalogKey } from './keys.ts';
import { encode } from './records.ts';
import type { Surroundings } from './surroundings.ts';

export interface NamePage {
  names: string[];
  /** Whether there are more behind the last one. */
  more: boolean;
}

/** The repositories that ever held a manifest. */
export class Catalog {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;

  constructor(store: ObjectStore, surroundings: Surroundings) {
    this.#store = store;
    this.#surroundings = surroundings;
  }

  async add(repository: string): Promise<void> {
    if (await this.has(repository)) return;
    await this.#store.put(catalogKey(repository), encode({ since: this.#surroundings.now() }), {
      condition: 'absent',
    });
  }

  async has(repository: string): Promise<boolean> {
    return (await this.#store.get(catalogKey(repository))) !== undefined;
  }

  /** @param after a name, or any text that names sort behind */
  async list(limit: number, after?: string): Promise<NamePage> {
    const { keys, more } = await this.#store.list({
      prefix: CATALOG_PREFIX,
      // With the marker's own ending: `a!` is behind `a`.
      ...(after === undefined ? {} : { after: `${CATALOG_PREFIX}${after}!` }),
      limit,
    });
    return { names: keys.map((key) => key.slice(CATALOG_PREFIX.length, -1)), more };
  }
}
