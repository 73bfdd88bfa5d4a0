// SPDX-License-Identifier: Apache-2.0
// What is said on a supervisor's control port: one line of JSON each way. Then the connection ends, or goes on with the
// frames of `guest-contract/agent-frames.ts`, all of session 0.
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
  | { verb: 'identify' }
  | Conversation;

/** What the connection stays open for. */
export type Conversation =
  /** The connection becomes a session of the guest's agent: OPEN comes next. */
  | { verb: 'session' }
  /** The connection gets what the program writes from now on, and may give it input. */
  | { verb: 'attach' };

export type Answer =
  | {
      ok: true;
      status?: number | undefined;
      uuid?: string | undefined;
      /** To `attach`: whether the program has a terminal, and whether it takes input. */
      terminal?: boolean | undefined;
      takesInput?: boolean | undefined;
    }
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
      case 'session':
      case 'attach':
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
