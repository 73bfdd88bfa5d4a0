// SPDX-License-Identifier: Apache-2.0

/** A sync of some time is followed by so many times as long without one. */
const REST = 9;

/**
 * When the disk is told to take what was received. It takes one file at a time, and most of the time none: while it
 * does, whatever else is written and read must wait for it.
 */
export class DiskSync {
  readonly #now: () => number;
  #isBusy = false;
  #notBefore = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns undefined where this is not the time; else what `sync` gives, without its errors */
  try(sync: () => Promise<void>): Promise<void> | undefined {
    const begun = this.#now();
    if (this.#isBusy || begun < this.#notBefore) return undefined;
    this.#isBusy = true;
    return sync()
      .catch(() => {})
      .finally(() => {
        const ended = this.#now();
        this.#notBefore = ended + REST * (ended - begun);
        this.#isBusy = false;
      });
  }
}

/** Of this process. */
export const diskSync = new DiskSync();
