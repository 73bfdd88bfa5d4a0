// SPDX-License-Identifier: Apache-2.0

/** Questions over a channel of messages, told apart by their numbers. */
export class Questions<T> {
  readonly #open = new Map<number, (answer: T | undefined) => void>();
  #last = 0;

  /** @param send gets the question's number @returns undefined where the other side is gone */
  ask(send: (id: number) => void): Promise<T | undefined> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
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
