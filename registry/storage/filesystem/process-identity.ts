// SPDX-License-Identifier: Apache-2.0
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { bootId, processStart } from '../../../image-format/layout/process-start.ts';

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
  return { pid: process.pid, host: hostname(), ...surroundings(), started: processStart(process.pid) ?? '' };
}

/** Whether that process ran where this one can see it. */
export function isHere({ boot, pidNamespace }: ProcessIdentity): boolean {
  const here = surroundings();
  return boot === here.boot && pidNamespace === here.pidNamespace;
}

export function isAlive({ pid, started }: { pid: number; started: string }): boolean {
  return processStart(pid) === started;
}

function surroundings() {
  return {
    boot: bootId(),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
  };
}
