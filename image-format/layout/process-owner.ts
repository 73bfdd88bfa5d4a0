// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names this process in the names of files: PID namespace, PID, and the time of its start. A PID alone is given again to
 * other processes, most of all after a reboot.
 */
export function ownerName(): string {
  own ??= `${pidNamespace()}-${process.pid}-${startTime(process.pid) ?? 0}`;
  return own;
}

let own: string | undefined;

/**
 * Whether the process that an owner's name stands for still runs.
 *
 * @returns undefined where that cannot be known: the process is in another PID namespace, such as a container's
 */
export function isOwnerAlive(name: string): boolean | undefined {
  const [namespace, pid, start] = name.split('-');
  if (namespace !== pidNamespace()) return undefined;
  const found = startTime(Number(pid));
  // Names of an older version have no time.
  return found !== undefined && (!/^[1-9]\d{0,11}$/.test(start ?? '') || String(found) === start);
}

/** Clock ticks between the boot and the start of a process: field 22 of proc(5), /proc/pid/stat. */
function startTime(pid: number): number | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name, which may hold spaces and parentheses.
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not asked yet.
    return state === 'Z' ? undefined : Number(fields[18]);
  } catch {
    return undefined;
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}
