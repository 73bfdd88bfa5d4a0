// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';

/** Lets a few do something at once; the others wait, and too many are sent away. */
export class Slots {
  #free: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, most: number) {
    this.#free = width;
    this.#most = most;
  }

  /** @throws RegistryError `STORAGE_UNAVAILABLE` where too many wait already */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.length >= this.#most) {
      throw new RegistryError('STORAGE_UNAVAILABLE', 'too many files of layers are being read', {
        hint: 'try again in a moment',
      });
    } else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }
}
