// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Tells a process from every other one, on any machine, at any time. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Together with the pid they tell a process from a later one with the same number. */
  boot: string;
  pidNamespace: string;
  started: string;
}

/** This process. */
export function identify(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), ...surroundings(), started: startOf(process.pid) ?? '' };
}

/** Whether that process ran where this one can see it. */
export function isHere({ boot, pidNamespace }: ProcessIdentity): boolean {
  const here = surroundings();
  return boot === here.boot && pidNamespace === here.pidNamespace;
}

export function isAlive({ pid, started }: { pid: number; started: string }): boolean {
  return startOf(pid) === started;
}

/** When a process started, in ticks since boot (proc(5), /proc/pid/stat, field 22); undefined where it is gone. */
export function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // Field 3 is the first one behind the name; a zombie holds nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function surroundings() {
  return {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
  };
}
