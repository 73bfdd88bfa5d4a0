// SPDX-License-Identifier: Apache-2.0

/** As many at once as there are slots; the others wait in turn. */
export class Slots {
  #count: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  /** Whether nobody has one. */
  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /** Those that are taken beyond a smaller number come back as their work ends. */
  resize(count: number): void {
    this.#count = count;
    this.#wake();
  }

  /** @throws the signal's reason where it is aborted while this waits */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#taken--;
      this.#wake();
    }
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#taken < this.#count; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken++;
      next();
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length === 0 && this.#taken < this.#count) {
      this.#taken++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(begin);
    });
  }
}
