// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { initramfsOf } from '../../kernel/initramfs.ts';

const run = promisify(execFile);
const PROGRAMS = join(import.meta.dirname, 'programs');

/** Where nothing else is, neither in the small guests' physical memory nor in any program's. */
const FIRST_ADDRESS = '0x20000000';

/** Compiles a static program. @returns its path */
export async function compile(source: string, folder: string): Promise<string> {
  const name = source.replace(/^.*\//, '').replace(/\..*$/, '');
  const output = join(folder, name);
  const path = source.startsWith('/') ? source : join(PROGRAMS, source);
  const assembled = source.endsWith('.S');
  await run(assembled ? 'gcc' : 'musl-gcc', [
    ...['-static', '-O2', '-Wall', '-Wextra', '-o', output, path],
    ...(assembled ? ['-nostdlib', `-Wl,-Ttext-segment=${FIRST_ADDRESS}`] : []),
  ]);
  return output;
}

/** @returns the path of QEMU's plugin that counts instructions up to the program of `first.S` */
export async function compileCounter(folder: string): Promise<string> {
  const output = join(folder, 'count.so');
  const flags = ['-shared', '-fPIC', '-fvisibility=hidden', '-O2', `-DFIRST_ADDRESS=${FIRST_ADDRESS}`];
  await run('gcc', [...flags, '-o', output, join(PROGRAMS, 'count.c')]);
  return output;
}

/** An initramfs whose `/init` is the program. @returns its path */
export async function initrdOf(program: string): Promise<string> {
  const path = `${program}.cpio`;
  await writeFile(path, initramfsOf({ init: await readFile(program) }));
  return path;
}
