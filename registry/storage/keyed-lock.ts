// SPDX-License-Identifier: Apache-2.0

/**
 * One holder a key; the others wait in the order in which they came. What the driver needs of it is this interface, so
 * that worker processes can ask their primary process for it over their channel (see the driver's docstring).
 */
export interface Locks {
  hold<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** @returns undefined at once, without running `work`, where the key is held */
  tryHold<T>(key: string, work: () => Promise<T>): Promise<{ value: T } | undefined>;
}

/** The lock among the requests of one process. */
export class KeyedLock implements Locks {
  readonly #tails = new Map<string, Promise<unknown>>();

  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    // What waits behind this one must run whether it succeeds or not.
    const tail = mine.catch(() => undefined);
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  async tryHold<T>(key: string, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    if (this.#tails.has(key)) return undefined;
    return { value: await this.hold(key, work) };
  }
}
