// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * When a process started, in clock ticks since the machine did: field 22 of proc(5), /proc/pid/stat. Together with the
 * boot and the namespace it tells the process from a later one with the same number.
 *
 * @returns undefined for a process that is not there, or that has ended and is not yet reaped
 */
export function processStart(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name is in parentheses and may hold anything; the state, field 3, is the first one behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The namespace of process numbers: containers that share a folder do not see each other's processes. */
export function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/**
 * The kernel's name for this start of the machine.
 *
 * @throws the system's error where /proc is not mounted
 */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
