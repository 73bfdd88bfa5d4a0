// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/**
 * Names a process so that a later one with the same number is another: `PID-START`, with the start in clock ticks since
 * the machine's.
 */
export function processIdentity(pid = process.pid): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in parentheses and may hold anything; the state is field 3, the start is field 22, proc(5).
    const rest = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
    // One that has ended and only waits for its parent to notice does nothing any more.
    if (rest[0] === 'Z' || rest[0] === 'X') return undefined;
    return `${pid}-${rest[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether the process that an identity names is still there. */
export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return Number.isSafeInteger(pid) && pid > 0 && processIdentity(pid) === identity;
}
