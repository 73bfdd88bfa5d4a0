// SPDX-License-Identifier: Apache-2.0
// A kernel and a root whose process 1 is checks of ours: the C files of one folder here, static with musl.
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { kernelFor } from '../../kernel-build/index.ts';
import { initramfsOf } from './initramfs.ts';

export interface CheckedGuest {
  vmlinux: string;
  initrd: string;
}

const HERE = import.meta.dirname;

/** Compiles sources of this folder (paths below it) to a static program. */
export async function compile(output: string, sources: readonly string[], flags: readonly string[] = []) {
  const strict = ['-static', '-O2', '-Wall', '-Wextra', '-Werror'];
  await promisify(execFile)('musl-gcc', [...strict, ...flags, '-o', output, ...sources], { cwd: HERE });
  return await readFile(output);
}

/**
 * The programs of `group`, a folder below this one, as process 1 of the default profile's kernel. They are compiled
 * without a red zone, as their assembly pushes.
 */
export async function checkedGuest(folder: string, group: string): Promise<CheckedGuest> {
  const { vmlinux } = await kernelFor((await loadProfile()).kernel);
  const own = (await readdir(join(HERE, group))).filter((name) => name.endsWith('.c')).map((name) => join(group, name));
  const init = await compile(join(folder, basename(group)), [...own, 'programs/check.c'], ['-mno-red-zone']);
  const initrd = join(folder, `${basename(group)}.cpio`);
  await writeFile(initrd, initramfsOf({ init }));
  return { vmlinux, initrd };
}
