// SPDX-License-Identifier: Apache-2.0

/**
 * Work that somebody waits for now comes before what was asked for earlier. Where too much waits, the oldest is given up:
 * whoever still wants it asks again.
 */
export class NewestFirst {
  readonly #width: number;
  readonly #most: number;
  readonly #waiting: { begin(): void; giveUp(): void }[] = [];
  #running = 0;

  /** @param width at once @param most that may wait */
  constructor(width: number, most: number) {
    this.#width = width;
    this.#most = most;
  }

  /** @returns undefined for work that was given up */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#width && !(await this.#turn())) return undefined;
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.pop()?.begin();
    }
  }

  #turn(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ begin: () => resolve(true), giveUp: () => resolve(false) });
      if (this.#waiting.length > this.#most) this.#waiting.shift()?.giveUp();
    });
  }
}
