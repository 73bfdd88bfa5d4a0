// SPDX-License-Identifier: Apache-2.0
import { realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { ClosureRoot } from '../needs/closure.ts';
import type { LibcFiles } from '../request.ts';
import { hostEntryWithXattrs } from './host-entry.ts';
import type { Plan } from './plan.ts';
import { layerPath } from './usr-merge.ts';

/** Where an image says which libc it was given, if it was. */
export const LIBC_JSON_PATH = 'etc/uk/libc.json';

const MUSL_LOADER = 'ld-musl-x86_64.so.1';

/**
 * Plans a libc in the place of the one that a program names as its interpreter.
 *
 * @param roots what runs, the program or its interpreters: the last of them
 * @throws ImageError `LIBC_MISMATCH`, `PATH_CONFLICT`
 */
export async function planLibc(plan: Plan, libc: LibcFiles, roots: readonly ClosureRoot[]): Promise<void> {
  const program = roots.at(-1);
  const loader = program?.elf.interpreter;
  if (loader === undefined || posix.basename(loader) !== MUSL_LOADER) throw mismatch(libc, program);
  await planFile(plan, libc.loader, layerPath(loader), 0o755, libc);
  await planFile(plan, libc.libcJson, LIBC_JSON_PATH, 0o644, libc);
}

/** Theirs are the bytes; whom they belong to and who may write them here is of no interest. */
async function planFile(plan: Plan, host: string, path: string, mode: number, { name }: LibcFiles): Promise<void> {
  const { entry } = await hostEntryWithXattrs(await realpath(host), path);
  plan.add({ entry: { ...entry, mode, uid: 0, gid: 0, source: { file: host } }, role: 'deps', origin: name });
}

function mismatch({ name, gcc }: LibcFiles, program: ClosureRoot | undefined): ImageError {
  const loader = program?.elf.interpreter;
  const host = program?.host ?? 'the program';
  if (loader === undefined) {
    return new ImageError('LIBC_MISMATCH', `${host} is linked statically: it has its libc in itself`, {
      hint: `link it with ${gcc} -static and leave --libc out; a program of glibc has to be compiled anew for musl`,
    });
  }
  return new ImageError('LIBC_MISMATCH', `${host} is not linked against musl: its interpreter is ${loader}`, {
    hint: `${name} cannot stand in for another libc: compile the program with ${gcc}, or leave --libc out`,
  });
}
