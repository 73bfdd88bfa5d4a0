// SPDX-License-Identifier: Apache-2.0

/** How many looks make one time limit. */
const LOOKS = 4;

export interface WatchdogOptions {
  /** How long the guest may be silent, in milliseconds. It is noticed at most a quarter later. */
  limitMs: number;
  /** Asks the guest for a sign of life. */
  ping(id: string): void;
  /**
   * Called when the guest has been silent for so long, and again after each further limit; never while the call before
   * has not ended. Who thinks the guest dead stops the watchdog.
   */
  onSilence(silentMs: number): Promise<void>;
}

/**
 * Asks a guest again and again for a sign of life, with one question at a time: a guest that sleeps for days finds one.
 *
 * Looks are counted, not read from a clock. While this process is stopped, or the whole machine sleeps, the guest could
 * not be heard either: all of that counts as one look.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #lookMs: number;
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;
  #answered = 0;
  #silentLooks = 0;
  #busy = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lookMs = Math.max(1, options.limitMs / LOOKS);
  }

  start(): void {
    this.stop();
    this.#ask();
    this.#timer = setInterval(() => this.#look(), this.#lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What the guest answered. */
  answer(id: string): void {
    if (id !== idOf(this.#asked)) return;
    this.#answered = this.#asked;
    this.#silentLooks = 0;
  }

  /** Whether the guest owes an answer for longer than a look. */
  get silent(): boolean {
    return this.#silentLooks > 0;
  }

  #look(): void {
    if (this.#answered === this.#asked) {
      this.#ask();
      return;
    }
    this.#silentLooks++;
    if (this.#busy || this.#silentLooks % LOOKS !== 0) return;
    this.#busy = true;
    void this.#options.onSilence(this.#silentLooks * this.#lookMs).finally(() => {
      this.#busy = false;
    });
  }

  #ask(): void {
    this.#asked++;
    this.#options.ping(idOf(this.#asked));
  }
}

function idOf(number: number): string {
  return `watchdog-${number}`;
}
