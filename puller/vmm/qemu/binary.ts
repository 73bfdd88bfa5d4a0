// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { PullerError } from '../../errors.ts';

/** Overrides the search in PATH; for a QEMU that is installed beside the system's. */
const OVERRIDE = 'UK_QEMU';
const NAME = 'qemu-system-x86_64';

export const INSTALL_HINT = 'apt-get install --no-install-recommends qemu-system-x86';

/** The first QEMU whose microvm was seen to boot an ELF kernel by PVH and to run all of test/guest: Debian 12's. */
export const QEMU_MINIMUM = { major: 7, minor: 2 } as const;

/** The path of a program, searched as a shell does; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws PullerError `MONITOR_MISSING` */
export function qemuBinary(): string {
  const wanted = process.env[OVERRIDE] || NAME;
  const found = findProgram(wanted);
  if (found !== undefined) return found;
  throw new PullerError('MONITOR_MISSING', `${wanted} is not on this machine`, { hint: INSTALL_HINT });
}

export interface QemuVersion {
  major: number;
  minor: number;
  text: string;
}

/** @throws PullerError `MONITOR_FAILED` where it does not say its version */
export async function qemuVersion(binary: string): Promise<QemuVersion> {
  let output: string;
  try {
    output = (await promisify(execFile)(binary, ['--version'])).stdout;
  } catch (cause) {
    throw new PullerError('MONITOR_FAILED', `${binary} --version fails`, { cause, hint: INSTALL_HINT });
  }
  const version = parseQemuVersion(output);
  if (version === undefined) throw new PullerError('MONITOR_FAILED', `${binary} does not say its version`);
  return version;
}

export function parseQemuVersion(output: string): QemuVersion | undefined {
  const match = /version ([0-9]+)\.([0-9]+)(\.[0-9]+)?/.exec(output);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), text: `${match[1]}.${match[2]}${match[3] ?? ''}` };
}

export function isNewEnough({ major, minor }: QemuVersion): boolean {
  return major > QEMU_MINIMUM.major || (major === QEMU_MINIMUM.major && minor >= QEMU_MINIMUM.minor);
}
