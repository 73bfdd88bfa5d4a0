// SPDX-License-Identifier: Apache-2.0
// What is said on a supervisor's control port: one line of JSON each way, then the connection ends.
import type { Reason } from '../state/run-state.ts';

export type Request =
  /** Sends the program a signal. SIGKILL ends the machine where the program does not end. */
  | { verb: 'signal'; number: number }
  /** Answered when the instance has ended. */
  | { verb: 'stop'; graceMs?: number | undefined }
  /** Answered when the program runs again. */
  | { verb: 'restart'; graceMs?: number | undefined }
  /** Answered when the instance has ended. */
  | { verb: 'wait' }
  /** Answered at once: which machine the monitor says that it runs. */
  | { verb: 'identify' };

export type Answer =
  | { ok: true; status?: number | undefined; uuid?: string | undefined }
  | { ok: false; reason: Reason };

/** A longer request is not one of ours. */
export const REQUEST_MAX = 4096;

export function parseRequest(line: string): Request | undefined {
  try {
    const value = JSON.parse(line) as Partial<Record<string, unknown>>;
    const { verb, number, graceMs } = value;
    switch (verb) {
      case 'signal':
        return isWhole(number) && number >= 1 && number <= 64 ? { verb, number } : undefined;
      case 'stop':
      case 'restart':
        return graceMs === undefined || isWhole(graceMs) ? { verb, graceMs } : undefined;
      case 'wait':
      case 'identify':
        return { verb };
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
