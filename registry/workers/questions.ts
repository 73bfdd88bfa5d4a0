// SPDX-License-Identifier: Apache-2.0

/** Questions over a channel of messages, told apart by their numbers. */
export class Questions<T> {
  readonly #open = new Map<number, (answer: T | undefined) => void>();
  readonly #patienceMs: number;
  #last = 0;

  /** @param patienceMs for how long an answer is waited for: who has none by then is stopped, or has no processor */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** @param send gets the question's number @returns undefined where the other side is gone, or does not answer */
  ask(send: (id: number) => void): Promise<T | undefined> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        resolve(undefined);
      }, this.#patienceMs);
      this.#open.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(id);
    });
  }

  answered(id: number, answer: T): void {
    this.#open.get(id)?.(answer);
    this.#open.delete(id);
  }

  /** Nobody is there to answer any more. */
  end(): void {
    for (const resolve of this.#open.values()) resolve(undefined);
    this.#open.clear();
  }
}
