// SPDX-License-Identifier: Apache-2.0
import { PullerError, type PullerErrorCode } from '../../errors.ts';
import type { Outcome } from '../instance.ts';
import type { Reason, RunEnd } from '../state/run-state.ts';

const UNRESPONSIVE = 124;
const FAILED = 1;
const KILLED = 137;

/** The parts of an error that are kept. Errors without a code are bugs of ours: their stack is what helps. */
export function reasonOf(error: unknown): Reason {
  const { name, code, hint, message, stack } = error as Error & { code?: unknown; hint?: string };
  if (name === 'AbortError') return { code: 'INTERRUPTED', message: 'it was stopped before its machine ran' };
  if (typeof code === 'string') return { code, message, ...(hint === undefined ? {} : { hint }) };
  return { code: 'INTERNAL', message: `this is a bug of uk, please report it: ${stack ?? String(error)}` };
}

export function errorOf({ code, message, hint }: Reason): PullerError {
  return new PullerError(code as PullerErrorCode, message, hint === undefined ? {} : { hint });
}

export function endOfOutcome({ status, end, failure, kernelLog }: Outcome): RunEnd {
  return {
    status,
    ...('signal' in end ? { signal: end.signal } : {}),
    ...(failure === undefined ? {} : { reason: { code: 'PROGRAM_UNUSABLE', message: failure.message }, kernelLog }),
  };
}

export function endOfError(error: unknown): RunEnd {
  const reason = reasonOf(error);
  const kernelLog = error instanceof PullerError ? error.kernelLog : undefined;
  const statuses: Record<string, number> = { GUEST_UNRESPONSIVE: UNRESPONSIVE, INTERRUPTED: KILLED };
  return { status: statuses[reason.code] ?? FAILED, reason, ...(kernelLog ? { kernelLog } : {}) };
}
