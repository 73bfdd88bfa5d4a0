// SPDX-License-Identifier: Apache-2.0
import { readFile, realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { ClosureRoot } from '../needs/closure.ts';
import type { CallsFiles } from '../request.ts';
import { hostEntryWithXattrs } from './host-entry.ts';
import type { Plan, Planned } from './plan.ts';
import { layerPath } from './usr-merge.ts';

const GLIBC_LOADER = 'ld-linux-x86-64.so.2';
/** What glibc's dynamic linker loads before any program. */
const PRELOAD_PATH = 'etc/ld.so.preload';

/**
 * Plans the library that makes glibc's system calls jumps, and the list by which it is loaded.
 *
 * @param roots what runs, the program or its interpreters: the last of them
 * @throws ImageError `LIBC_MISMATCH`, `PATH_CONFLICT`, `SOURCE_INVALID`
 */
export async function planCalls(plan: Plan, calls: CallsFiles, roots: readonly ClosureRoot[]): Promise<void> {
  const program = roots.at(-1);
  const loader = program?.elf.interpreter;
  if (loader === undefined || posix.basename(loader) !== GLIBC_LOADER) throw mismatch(program);
  await planFile(plan, calls.library, layerPath(calls.path));
  const list = plan.follow(PRELOAD_PATH) ?? plan.get(PRELOAD_PATH);
  if (list === undefined) await planFile(plan, calls.preload, PRELOAD_PATH);
  else if (!(await wordsOf(list)).includes(calls.path)) {
    throw new ImageError(
      'PATH_CONFLICT',
      `/${PRELOAD_PATH} is added, and does not name ${calls.path}: ${list.origin}`,
      {
        hint: `add a line ${calls.path} to it, or leave it out`,
      },
    );
  }
}

/** Theirs are the bytes; whom they belong to and who may write them here is of no interest. */
async function planFile(plan: Plan, host: string, path: string): Promise<void> {
  const { entry } = await hostEntryWithXattrs(await realpath(host), path);
  const source = { file: host };
  plan.add({
    entry: { ...entry, mode: 0o644, uid: 0, gid: 0, source },
    role: 'deps',
    origin: 'the library for --calls',
  });
}

/** As ld.so reads it: names between white space or colons, and comments from # to the line's end. */
async function wordsOf({ entry: { source } }: Planned): Promise<string[]> {
  const text = source !== undefined && 'file' in source ? await readFile(source.file, 'utf8') : '';
  return text.replace(/#.*/g, '').split(/[\s:]+/);
}

function mismatch(program: ClosureRoot | undefined): ImageError {
  const loader = program?.elf.interpreter;
  const host = program?.host ?? 'the program';
  if (loader === undefined) {
    return new ImageError('LIBC_MISMATCH', `${host} is linked statically: nothing can be loaded before it`, {
      hint: 'leave --calls out: it is for programs that load glibc, not for static ones, as those of Go are',
    });
  }
  return new ImageError('LIBC_MISMATCH', `${host} is not linked against glibc: its interpreter is ${loader}`, {
    hint: 'leave --calls out; for a program of musl there is --libc ring0-musl',
  });
}
