// SPDX-License-Identifier: Apache-2.0

import { realpath, stat } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { ClosureRoot, Missing } from '../needs/closure.ts';
import { readExecutable } from '../needs/host-file.ts';
import { walkPath } from '../needs/walk-path.ts';
import { hostEntryWithXattrs } from './host-entry.ts';
import { placeFromSysroot } from './place.ts';
import type { Plan } from './plan.ts';
import { layerPath } from './usr-merge.ts';

/** Below these a program keeps its path; elsewhere the path says more about the building machine than about it. */
const SYSTEM_FOLDERS = ['usr/', 'opt/'];
export const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** As Linux: an interpreter may be a script, a few times over. */
export const MAX_SCRIPTS = 4;

export interface PlannedProgram {
  /** Its absolute path in the image. */
  path: string;
  /** The ELF files that run: the program, or the interpreters of the script that it is. */
  roots: ClosureRoot[];
  missing: Missing[];
}

/**
 * Plans the application's own file for the `app` layer, and if it is a script its interpreter for `deps`.
 *
 * @throws ImageError `ELF_INVALID`, `SOURCE_INVALID`, `PATH_CONFLICT`
 */
export async function planProgram(
  plan: Plan,
  app: string,
  sysroot: string,
  appPath: string | undefined,
): Promise<PlannedProgram> {
  const host = resolve(app);
  const kept = appPath === undefined ? insideSystem(host, sysroot) : undefined;
  const path = `/${layerPath(kept ?? appPath ?? `/app/${basename(host)}`)}`;
  // Its links lead where they lead in the sysroot.
  const file = kept === undefined ? host : ((await placeFromSysroot(plan, sysroot, kept, 'app')) ?? host);
  const executable = await readExecutable(file);
  if (kept === undefined) plan.add({ entry: await asProgram(host, layerPath(path)), role: 'app', origin: host });
  if (executable.kind === 'elf') {
    if (executable.elf.type === 'shared' && executable.elf.interpreter === undefined && executable.elf.entry === 0) {
      throw new ImageError('ELF_INVALID', `${app} is a library, not a program`);
    }
    return { path, roots: [{ host: file, image: path, elf: executable.elf }], missing: [] };
  }
  const { roots, missing } = await planInterpreters(plan, sysroot, file);
  return { path, roots, missing };
}

/** Its absolute path inside the sysroot, if it stands in a system folder there. */
export function insideSystem(host: string, sysroot: string): string | undefined {
  const root = resolve(sysroot, '.');
  const inside = root === '/' ? host : host.startsWith(`${root}/`) ? host.slice(root.length) : undefined;
  const path = inside === undefined ? '' : layerPath(inside);
  return SYSTEM_FOLDERS.some((folder) => path.startsWith(folder)) ? inside : undefined;
}

/** A program that somebody made need not be executable for others, or at all, where it comes from. */
export async function asProgram(host: string, path: string) {
  const { entry } = await hostEntryWithXattrs(await realpath(host), path);
  return { ...entry, mode: entry.mode | 0o555, source: { file: host } };
}

async function planInterpreters(
  plan: Plan,
  sysroot: string,
  script: string,
): Promise<{ roots: ClosureRoot[]; missing: Missing[] }> {
  const roots: ClosureRoot[] = [];
  const missing: Missing[] = [];
  let current = script;
  for (let depth = 0; depth < MAX_SCRIPTS; depth++) {
    const executable = await readExecutable(current);
    if (executable.kind === 'elf') break;
    const { interpreter, argument } = executable;
    const wanted = [interpreter];
    if (posix.basename(interpreter) === 'env') wanted.push(await findInPath(sysroot, envProgram(argument)));
    for (const path of wanted) {
      const planned = plan.follow(layerPath(path))?.entry.source;
      const known = planned !== undefined && 'file' in planned ? planned.file : undefined;
      const host = known ?? (await placeFromSysroot(plan, sysroot, path, 'deps'));
      if (host === undefined) {
        missing.push({ name: path, neededBy: current });
        return { roots, missing };
      }
      const program = await readExecutable(host);
      if (program.kind === 'elf') roots.push({ host, image: path, elf: program.elf });
      if (path === wanted.at(-1)) current = host;
    }
  }
  return { roots, missing };
}

/** What `env [-S] [NAME=VALUE]… PROGRAM` runs. */
export function envProgram(argument: string | undefined): string {
  const words = (argument ?? '').split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
  return words.find((word) => !word.includes('=')) ?? '';
}

/** @returns an absolute path, or the bare name where no folder has it */
async function findInPath(sysroot: string, program: string): Promise<string> {
  if (program.startsWith('/')) return program;
  for (const folder of PATH) {
    const path = posix.join(folder, program);
    const walked = program === '' ? undefined : await walkPath(sysroot, path);
    if (walked !== undefined && (await stat(join(sysroot, walked.real))).isFile()) return path;
  }
  return program;
}
