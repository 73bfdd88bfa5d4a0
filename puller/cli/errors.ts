// SPDX-License-Identifier: Apache-2.0
export type CliErrorCode =
  /** The command line itself is wrong: exit status 2. */
  | 'USAGE'
  /** A file that was named could not be read or written. */
  | 'FILE';

/** Of the shape of the rooms' errors; it loads none of them, as every command's start loads this. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, detail: { hint?: string } = {}) {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.hint = detail.hint;
  }
}

export const EXIT_FAILURE = 1;
export const EXIT_MISUSE = 2;

/** What timeout(1) exits with; a guest that stopped answering is one, too. */
const EXIT_UNRESPONSIVE = 124;

/** What a shell reports of a command that an interrupt ended: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const STATUS: Readonly<Record<string, number | undefined>> = {
  USAGE: EXIT_MISUSE,
  GUEST_UNRESPONSIVE: EXIT_UNRESPONSIVE,
};

/**
 * The one line that says what went wrong, and the status to exit with. Errors with a code were thrown on purpose and
 * speak for themselves; anything else is a bug of ours, and its stack is what helps.
 */
export function explain(error: unknown): { line: string; code: string; hint?: string; status: number } {
  if (error instanceof Error && error.name === 'AbortError') {
    return { line: 'interrupted', code: 'INTERRUPTED', status: EXIT_INTERRUPTED };
  }
  if (isCoded(error)) {
    const { code, message, hint } = error;
    return {
      line: hint === undefined ? message : `${message} (${hint})`,
      code,
      ...(hint === undefined ? {} : { hint }),
      status: STATUS[code] ?? EXIT_FAILURE,
    };
  }
  if (isSystemError(error)) return { line: error.message, code: error.code, status: EXIT_FAILURE };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { line: `this is a bug of uk, please report it: ${stack}`, code: 'INTERNAL', status: EXIT_FAILURE };
}

/** By shape, not by class: rooms that import nothing have an error class of their own. */
function isCoded(error: unknown): error is Error & { code: string; hint?: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    'hint' in error &&
    !isSystemError(error)
  );
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
