// SPDX-License-Identifier: Apache-2.0
import { pause } from '../backoff.ts';

/** Lets bytes pass at a rate. One limit is shared by all that is received at once. */
export class RateLimit {
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** When the bytes that were taken so far have passed. */
  #free = 0;

  /** @param bytesPerSecond above 0; Infinity for no limit */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now(), wait = pause) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#now = now;
    this.#wait = wait;
  }

  /** Waits until these bytes may have passed. */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#bytesPerMs === Number.POSITIVE_INFINITY) return;
    const now = this.#now();
    this.#free = Math.max(now, this.#free) + bytes / this.#bytesPerMs;
    await this.#wait(this.#free - now, signal);
  }
}
