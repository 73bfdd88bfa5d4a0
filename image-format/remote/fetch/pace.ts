// SPDX-License-Identifier: Apache-2.0

/** Connections to begin with, and what more are tried in turn. */
const LEVELS = [4, 8, 16] as const;
/** A connection that carries more than this loses nothing by being one of few; bytes a second. */
const ENOUGH = 1024 * 1024;
/** More connections stay only if they carry so much more together. */
const WORTH_IT = 1.25;
/** How long one number of connections is watched, and how long it is not tried again when it was no good. */
const WATCH_MS = 2_000;
const AGAIN_MS = 30_000;
/** A range should take about this long: shorter, and the wait for answers counts; longer, and a kill costs more. */
const RANGE_MS = 2_000;

export interface PaceOptions {
  /** No more connections than this. */
  most: number;
  /** Bytes that may be asked for at once, by all connections together. */
  window: number;
  /** Ranges are a multiple of this, in bytes. */
  block: number;
  now?: () => number;
}

/**
 * Finds out how many connections a line is worth. One that loses packets slows each connection down by itself, so that
 * more of them carry more. A line that is merely slow carries no more by more connections, and then few are used.
 */
export class Pace {
  readonly #options: Required<PaceOptions>;
  #level = 0;
  #begun: number;
  #bytes = 0;
  /** Bytes a second with the level before this one. */
  #before: number | undefined;
  #notBefore = 0;
  /** Bytes a second, as far as that is known. */
  #rate: number | undefined;

  constructor(options: PaceOptions) {
    this.#options = { now: () => performance.now(), ...options };
    this.#begun = this.#options.now();
  }

  /** No more connections than this at any time. */
  get most(): number {
    return this.#options.most;
  }

  get connections(): number {
    return Math.min(LEVELS[this.#level] ?? LEVELS[0], this.#options.most);
  }

  /** Bytes to ask for at once, on one connection. */
  get rangeSize(): number {
    const { window, block } = this.#options;
    const share = window / this.connections;
    const timely = this.#rate === undefined ? share : (this.#rate / this.connections) * (RANGE_MS / 1000);
    return Math.max(block, Math.floor(Math.min(share, timely) / block) * block);
  }

  /** Bytes have come. @returns whether the number of connections has changed */
  received(bytes: number): boolean {
    this.#bytes += bytes;
    const now = this.#options.now();
    const passed = now - this.#begun;
    if (passed < WATCH_MS) return false;
    const rate = (this.#bytes / passed) * 1000;
    this.#rate = rate;
    this.#begun = now;
    this.#bytes = 0;
    return this.#judge(rate, now);
  }

  /** Nothing was asked for in between: that time says nothing about the line. */
  rested(): void {
    this.#begun = this.#options.now();
    this.#bytes = 0;
  }

  #judge(rate: number, now: number): boolean {
    if (this.#before !== undefined && rate < this.#before * WORTH_IT) {
      this.#level--;
      this.#before = undefined;
      this.#notBefore = now + AGAIN_MS;
      return true;
    }
    this.#before = undefined;
    const isSlow = rate / this.connections < ENOUGH;
    const isLast = this.#level === LEVELS.length - 1 || this.connections >= this.#options.most;
    if (!isSlow || isLast || now < this.#notBefore) return false;
    this.#level++;
    this.#before = rate;
    return true;
  }
}
