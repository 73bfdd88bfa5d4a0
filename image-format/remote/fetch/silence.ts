// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';

/** How long a server is listened to in vain at first. */
const FIRST_MS = 5_000;
/** Then only the time-outs of the transport are left. */
const MOST_STALLS = 4;

/**
 * Ends a transfer on which nothing comes. A connection that a router has forgotten says nothing for ever, and asking for
 * the same range on another one costs no byte. A server may also be slow, so it is given twice the time after each stall.
 */
export class Silence {
  readonly #abort = new AbortController();
  readonly #patienceMs: number | undefined;
  readonly #now: () => number;
  /** Since when nothing has come; undefined while nothing is waited for. */
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param stalls how often this transfer has stalled before; undefined: it is left alone */
  constructor(stalls: number | undefined, firstMs = FIRST_MS, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#patienceMs = stalls === undefined || stalls >= MOST_STALLS ? undefined : firstMs * 2 ** stalls;
    if (this.#patienceMs !== undefined) this.#check(this.#patienceMs);
  }

  /** Aborted with an error `REGISTRY_UNREACHABLE`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isBroken(): boolean {
    return this.#abort.signal.aborted;
  }

  /** From now on something should come. */
  listen(): void {
    this.#since = this.#now();
  }

  /** Something has come, and more of it can wait. */
  rest(): void {
    this.#since = undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** One timer for many bytes: it looks how long nothing has come, and comes back when that may be too long. */
  #check(patienceMs: number): void {
    const silentMs = this.#since === undefined ? 0 : this.#now() - this.#since;
    if (silentMs >= patienceMs) {
      const text = `nothing has come for ${Math.round(silentMs / 1000)} s`;
      this.#abort.abort(new ImageError('REGISTRY_UNREACHABLE', text));
      return;
    }
    this.#timer = setTimeout(() => this.#check(patienceMs), patienceMs - silentMs);
  }
}
