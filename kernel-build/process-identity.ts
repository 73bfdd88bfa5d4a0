// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names a process so that a later one with the same number is another: `PID-START-SPACE`, with the start in clock ticks
 * since the machine's. SPACE stands for the boot of the machine and the namespace of process numbers: containers that
 * share a folder do not see each other's processes.
 */
export function processIdentity(pid = process.pid): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in parentheses and may hold anything; the state is field 3, the start is field 22, proc(5).
    const rest = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
    // One that has ended and only waits for its parent to notice does nothing any more.
    if (rest[0] === 'Z' || rest[0] === 'X') return undefined;
    return `${pid}-${rest[19]}-${ownSpace()}`;
  } catch {
    return undefined;
  }
}

/** Matches an identity; earlier versions wrote none with a SPACE. */
export const IDENTITY = /\d+-\d+(?:-[0-9a-f]{8})?/;

/**
 * Whether the process that an identity names is still there; undefined where that cannot be seen from here, as it is in
 * another container or on another machine.
 */
export function isAlive(identity: string): boolean | undefined {
  const [number = '', start = '', space = ownSpace()] = identity.split('-');
  if (space !== ownSpace()) return undefined;
  const pid = Number(number);
  return Number.isSafeInteger(pid) && pid > 0 && processIdentity(pid) === `${number}-${start}-${space}`;
}

let known: string | undefined;

function ownSpace(): string {
  known ??= createHash('sha256')
    .update(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))
    .update(readlinkSync('/proc/self/ns/pid'))
    .digest('hex')
    .slice(0, 8);
  return known;
}
