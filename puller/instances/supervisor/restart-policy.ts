// SPDX-License-Identifier: Apache-2.0
import type { RestartPolicy } from '../state/config.ts';
import type { RunEnd } from '../state/run-state.ts';

/** What a new attempt cannot change. */
const PERMANENT: ReadonlySet<string | undefined> = new Set([
  ...['IMAGE_UNSUPPORTED', 'OPTION_UNSUPPORTED', 'MEMORY_TOO_SMALL', 'MONITOR_MISSING', 'TOOL_MISSING'],
  ...['VOLUME_INVALID', 'VOLUME_DAMAGED', 'PROGRAM_UNUSABLE', 'PORT_UNAVAILABLE', 'INTERNAL'],
]);

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 60_000;

/** A program that ran so long is not one that fails at its start. */
export const STEADY_MS = 10_000;

/**
 * Whether a program that has ended by itself is to be started again.
 *
 * @param restarts how often it was already
 */
export function isRestarted(policy: RestartPolicy, end: RunEnd, restarts: number): boolean {
  if (PERMANENT.has(end.reason?.code)) return false;
  switch (policy.name) {
    case 'no':
      return false;
    case 'on-failure':
      return end.status !== 0 && restarts < (policy.max ?? Number.POSITIVE_INFINITY);
    default:
      return true;
  }
}

/** @param failures short runs in a row so far. @returns milliseconds: 100, 200, 400 … up to a minute */
export function restartDelay(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures, 20), LAST_DELAY_MS);
}
