// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { within } from '../within.ts';

/** Even where no mark says so, a repository is read again after this time. */
const OLDEST_MS = 60 * 60 * 1000;

/** While a repository that changed is read again, what was known before is given after this time. */
const PATIENCE_MS = 1_000;

interface Entry<T> {
  readAt: number;
  value: Promise<T>;
  weight: number;
  /** What was known before, while `value` is being read. */
  before?: Promise<T> | undefined;
  isRead: boolean;
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

  /** What changes while it is read is as it was before, or later. */
  async of(repository: string): Promise<T> {
    await this.#changes.look();
    const { value, before } = this.#fresh(repository) ?? this.#begin(repository);
    if (before === undefined) return value;
    // A repository with very many tags to which somebody pushes all the time would never be shown.
    return (await within(PATIENCE_MS, value)) ?? before;
  }

  #begin(repository: string): Entry<T> {
    const last = this.#entries.peek(repository);
    const before = last?.isRead ? last.value : last?.before;
    const weight = last?.weight ?? 1;
    const value = this.#read(repository);
    const entry: Entry<T> = { readAt: this.#surroundings.now(), value, weight, before, isRead: false };
    this.#entries.set(repository, entry);
    // There may be something newer by now.
    const isNewest = () => this.#entries.peek(repository) === entry;
    value.then(
      (read) => {
        if (!isNewest()) return;
        const { readAt } = entry;
        this.#entries.set(repository, { readAt, value, weight: this.#weigh(read) + 10, isRead: true });
      },
      () => {
        if (isNewest()) this.#entries.delete(repository);
      },
    );
    return entry;
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
