// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';

/** Even where no mark says so, a repository is read again after this time. */
const OLDEST_MS = 60 * 60 * 1000;

interface Entry<T> {
  readAt: number;
  value: Promise<T>;
  weight: number;
}

/** Something about repositories that is read when it is asked for, and kept until the repository changes. */
export class Kept<T> {
  readonly #changes: Changes;
  readonly #surroundings: Surroundings;
  readonly #read: (repository: string) => Promise<T>;
  readonly #weigh: (value: T) => number;
  readonly #entries: LRUCache<string, Entry<T>>;

  /** @param most sum of what `weigh` says of all that is kept */
  constructor(
    changes: Changes,
    surroundings: Surroundings,
    options: { read: (repository: string) => Promise<T>; weigh: (value: T) => number; most: number },
  ) {
    this.#changes = changes;
    this.#surroundings = surroundings;
    this.#read = options.read;
    this.#weigh = options.weigh;
    this.#entries = new LRUCache({ maxSize: options.most, sizeCalculation: ({ weight }) => weight });
  }

  async of(repository: string): Promise<T> {
    await this.#changes.look();
    const kept = this.#fresh(repository);
    if (kept !== undefined) return kept.value;
    const value = this.#read(repository);
    const entry = { readAt: this.#surroundings.now(), value, weight: 1 };
    this.#entries.set(repository, entry);
    try {
      const weight = this.#weigh(await value) + 10;
      // There may be something newer by now.
      if (this.#entries.peek(repository) === entry) this.#entries.set(repository, { ...entry, weight });
    } catch (error) {
      if (this.#entries.peek(repository) === entry) this.#entries.delete(repository);
      throw error;
    }
    return value;
  }

  /** Without reading: undefined where nothing is kept that still holds. */
  async peek(repository: string): Promise<T | undefined> {
    await this.#changes.look();
    return this.#fresh(repository)?.value;
  }

  #fresh(repository: string): Entry<T> | undefined {
    const kept = this.#entries.get(repository);
    if (kept === undefined || this.#surroundings.now() - kept.readAt > OLDEST_MS) return undefined;
    return this.#changes.holds(repository, kept.readAt) ? kept : undefined;
  }
}
