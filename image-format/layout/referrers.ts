// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import type { IngestFolder } from './ingest.ts';
import { NameFolder } from './names.ts';

/**
 * What refers to content of the store without being part of it, such as signatures: a small file for each, as for names.
 * It stays as long as what it refers to.
 */
export class ReferrerFolder {
  readonly #records: NameFolder;

  constructor(path: string, ingest: IngestFolder) {
    this.#records = new NameFolder(path, ingest);
  }

  async add(subject: Digest, referrer: Descriptor): Promise<void> {
    await this.#records.set(`${key(subject)}.${key(referrer.digest)}`, referrer);
  }

  async of(subject: Digest): Promise<Descriptor[]> {
    const prefix = `${key(subject)}.`;
    return (await this.#records.list())
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ descriptor }) => descriptor);
  }

  /** Removes the records of all subjects that are not to be kept. */
  async retain(isKept: (subject: Digest) => Promise<boolean>): Promise<void> {
    for (const { name } of await this.#records.list()) {
      const [algorithm, hex = ''] = (name.split('.')[0] ?? '').split('-');
      if (!(await isKept(`${algorithm}:${hex}` as Digest))) await this.#records.delete(name);
    }
  }
}

function key(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}
