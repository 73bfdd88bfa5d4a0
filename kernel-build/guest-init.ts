// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { KernelError } from './errors.ts';

/** The version of docs/guest-contract.md that the init in `init/` speaks. */
export const GUEST_CONTRACT = 2;

/** The version of the agent in that init: `agent` in `kernel.json`, and in HELLO. */
export const GUEST_AGENT = 1;

/** Names of all files that the init is compiled from, sorted. */
export async function initSources(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /\.[ch]$/.test(name)).sort();
}

/**
 * Compiles the init to one static program. The names in it are relative, so it is the same wherever it is compiled.
 *
 * @throws KernelError `BUILD_FAILED`
 */
export async function compileInit(folder: string, output: string, signal?: AbortSignal): Promise<void> {
  const sources = (await initSources(folder)).filter((name) => name.endsWith('.c'));
  const flags = [
    '-std=gnu17',
    '-Os',
    '-Wall',
    '-Wextra',
    '-ffunction-sections',
    '-fdata-sections',
    '-fno-asynchronous-unwind-tables',
  ];
  // Small rather than split by permission: it lies in memory as long as the guest lives.
  const link = [
    '-static',
    '-s',
    '-Wl,--gc-sections',
    '-Wl,--build-id=none',
    '-Wl,-z,norelro',
    '-Wl,-z,noseparate-code',
  ];
  try {
    await runCommand('musl-gcc', [...flags, ...link, '-o', output, ...sources], { cwd: folder, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new KernelError('BUILD_FAILED', `the guest's init does not compile: ${join(folder, '*.c')}`, { cause });
  }
}

/**
 * What is built into every kernel, in the words of `usr/gen_init_cpio`: a file, its name on this machine, mode, user,
 * group. The init finds the rest by itself; `/dev/console` is what it writes to until it has mounted anything.
 *
 * @param init path of the compiled init, relative to where the kernel is built
 * @see linux/usr/gen_init_cpio.c, `usage`
 */
export function initramfsList(init: string): string {
  return [
    'dir /dev 0755 0 0',
    'nod /dev/console 0600 0 0 c 5 1',
    'dir /proc 0555 0 0',
    'dir /sys 0555 0 0',
    'dir /root 0700 0 0',
    'dir /.uk 0755 0 0',
    `file /.uk/init ${init} 0755 0 0`,
    '',
  ].join('\n');
}
