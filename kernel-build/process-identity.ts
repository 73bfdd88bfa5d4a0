// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { bootId, processStart } from '../image-format/layout/process-start.ts';

/**
 * Names a process so that a later one with the same number is another: `PID-START-SPACE`, with the start in clock ticks
 * since the machine's. SPACE stands for the boot of the machine and the namespace of process numbers: containers that
 * share a folder do not see each other's processes.
 */
export function processIdentity(pid = process.pid): string | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : `${pid}-${start}-${ownSpace()}`;
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
  return processIdentity(pid) === `${number}-${start}-${space}`;
}

let known: string | undefined;

function ownSpace(): string {
  known ??= createHash('sha256')
    .update(`${bootId()}\n`)
    .update(readlinkSync('/proc/self/ns/pid'))
    .digest('hex')
    .slice(0, 8);
  return known;
}
