// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from './bytes.ts';

/** Over how long the rate is taken: a line that flaps should not make the estimate jump. */
const WINDOW_MS = 10_000;

/** Adds up what is transferred, and estimates how long the rest takes. */
export class TransferMeter {
  readonly #now: () => number;
  readonly #blobs = new Map<string, number>();
  /** Bytes that came since the start, at a time. */
  readonly #samples: { at: number; bytes: number }[] = [];
  #total = 0;
  #done = 0;
  #arrived = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Adds what an image needs and the store lacks; `resumed` bytes of it are there already. */
  expect({ missing, resumed }: { missing: number; resumed: number }): void {
    this.#total += missing + resumed;
  }

  /** @param transferred of one blob, what was there at first included */
  update(digest: string, transferred: number): void {
    const before = this.#blobs.get(digest);
    this.#blobs.set(digest, transferred);
    this.#done += transferred - (before ?? 0);
    // What an earlier transfer left came at no rate.
    if (before !== undefined) this.#arrived += Math.max(0, transferred - before);
    const at = this.#now();
    this.#samples.push({ at, bytes: this.#arrived });
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  get done(): number {
    return this.#done;
  }

  get total(): number {
    return this.#total;
  }

  /** `1.2 MB/s, 35 s left`; empty while nothing can be said. */
  get text(): string {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 500) return '';
    const perMs = (last.bytes - first.bytes) / (last.at - first.at);
    if (perMs <= 0) return '';
    const left = Math.max(0, this.#total - this.#done) / perMs;
    return `${formatBytes(perMs * 1000)}/s, ${formatDuration(left)} left`;
  }
}

/** `35 s`, `4 min`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
