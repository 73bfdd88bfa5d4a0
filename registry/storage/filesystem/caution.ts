// SPDX-License-Identifier: Apache-2.0

/**
 * One slow step says nothing: this thread may just have lost its processor. Each step forgets some of those before it,
 * so that it takes two among few.
 */
const FORGETTING = 0.95;
const ENOUGH = 1.5;

/**
 * Whether steps that are quick as a rule may be done on this thread, where they hold up everybody else, and not in
 * another one, which costs more than they do.
 */
export class Caution {
  readonly #slowMs: number;
  readonly #forMs: number;
  #slowness = 0;
  #until = 0;

  /**
   * @param slowMs from here on a step was slow
   * @param forMs for how long, after slow steps, to be cautious
   */
  constructor(slowMs: number, forMs: number) {
    this.#slowMs = slowMs;
    this.#forMs = forMs;
  }

  /** Do it in another thread. */
  get advised(): boolean {
    return this.#until > 0 && performance.now() < this.#until;
  }

  /** Does a step on this thread, and remembers how long it took. */
  watch<T>(step: () => T): T {
    const begun = performance.now();
    try {
      return step();
    } finally {
      const ended = performance.now();
      this.#slowness = this.#slowness * FORGETTING + (ended - begun > this.#slowMs ? 1 : 0);
      if (this.#slowness > ENOUGH) {
        this.#until = ended + this.#forMs;
        this.#slowness = 0;
      }
    }
  }
}
