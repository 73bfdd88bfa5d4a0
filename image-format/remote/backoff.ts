// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';

/** No attempt waits longer for the next one, unless the registry says so. */
const MOST_MS = 30_000;

/**
 * How long to wait after a failed attempt: twice as long each time, and then between half of it and all of it, so that
 * clients which failed together do not come back together.
 *
 * @param attempt the number of attempts that have failed, from 1
 */
export function backoff(attempt: number, baseMs: number, random: () => number = Math.random): number {
  return Math.min(baseMs * 2 ** (attempt - 1), MOST_MS) * (0.5 + random() / 2);
}

/** Waits; throws the signal's own reason where that is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (ms <= 0) return;
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error) => {
    signal?.throwIfAborted();
    throw error;
  });
}
