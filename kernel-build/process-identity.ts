// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/**
 * Names a process so that a later one with the same number is another: `PID-START`, with the start in clock ticks since
 * the machine's.
 */
export function processIdentity(pid = process.pid): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in parentheses and may hold anything; the start is field 22, proc(5).
    const start = fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid}-${start}`;
  } catch {
    return undefined;
  }
}

/** Whether the process that an identity names is still there. */
export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return Number.isSafeInteger(pid) && pid > 0 && processIdentity(pid) === identity;
}
