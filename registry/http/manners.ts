// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { RegistryError } from '../errors.ts';

/** Requests of the protocol in one second from which on browsing makes room. */
const BUSY = 50;
const SECOND_MS = 1_000;
/** After a page that took so long, the next one waits as many times longer. */
const REST = 3;
const LONGEST_REST_MS = 500;
/** Pages at once, while nobody pulls. */
const USUAL_WIDTH = 16;
/** Pages that wait; more are sent away. */
const MOST_WAITING = 200;

/**
 * Pulls come first. While clients pull, pages and the API are answered one at a time, with pauses: three times as long as
 * a page took, and half a second at most. While nobody pulls, they are as fast as they can be.
 */
export class Manners {
  #second = 0;
  #pulls = 0;
  #before = 0;
  #running = 0;
  #restUntil = 0;
  readonly #waiting: (() => void)[] = [];

  /** A request of the protocol came. */
  pulled(): void {
    this.#count();
    this.#pulls += 1;
  }

  /**
   * Waits until a page may be answered.
   *
   * @returns to be disposed of when it was
   * @throws RegistryError `STORAGE_UNAVAILABLE` where too many wait
   */
  async enter(): Promise<Disposable> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new RegistryError('STORAGE_UNAVAILABLE', 'the registry is busy with pulls', { hint: 'try again later' });
    }
    while (this.#running >= (this.#isBusy() ? 1 : USUAL_WIDTH)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      const rest = this.#restUntil - performance.now();
      if (rest > 0 && this.#isBusy()) await wait(rest);
    } catch (error) {
      this.#leave();
      throw error;
    }
    const begun = performance.now();
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        const now = performance.now();
        this.#restUntil = now + Math.min(LONGEST_REST_MS, (now - begun) * REST);
        this.#leave();
      },
    };
  }

  #leave(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }

  #isBusy(): boolean {
    this.#count();
    return Math.max(this.#pulls, this.#before) >= BUSY;
  }

  /** Begins a new second where the last one is over. */
  #count(): void {
    const second = Math.floor(performance.now() / SECOND_MS);
    if (second === this.#second) return;
    this.#before = second === this.#second + 1 ? this.#pulls : 0;
    this.#pulls = 0;
    this.#second = second;
  }
}
