// SPDX-License-Identifier: Apache-2.0
// What a guest's log says of the checks that its programs made (programs/check.h).

export interface Checks {
  passed: number;
  /** The lines of those that failed. */
  failed: string[];
  /** All of them have run. */
  ended: boolean;
}

export function linesOf(log: string): string[] {
  return log.split(/\r?\n/);
}

export function checksOf(log: string): Checks {
  const lines = linesOf(log);
  return {
    passed: lines.filter((line) => line.startsWith('ok ')).length,
    failed: lines.filter((line) => line.startsWith('FAIL')),
    ended: lines.includes('end'),
  };
}

/** What the kernel says when something is wrong with it, not with a program. */
export function complaintsIn(log: string): string[] {
  return linesOf(log).filter((line) => /\b(BUG|WARNING|Oops|panic|stalls?|lockup)\b/.test(line));
}
