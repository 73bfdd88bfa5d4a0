// SPDX-License-Identifier: Apache-2.0
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import { KernelError } from '../errors.ts';
import { requireCallsTools } from '../requirements.ts';

/** Where the library stands in an image. */
const IMAGE_PATH = '/usr/lib/ring0-calls.so';

/** Without the C library: it is loaded together with one that this machine may not know. */
const FLAGS = [
  ...['-std=gnu17', '-O2', '-Wall', '-Wextra', '-ffreestanding', '-fPIC', '-fvisibility=hidden'],
  ...['-fno-stack-protector', '-nostdlib', '-shared', '-s'],
  // Lazy: what a C library lacks must not keep programs from starting.
  ...['-Wl,-z,lazy', '-Wl,-z,relro', '-Wl,-z,separate-code', '-Wl,-z,noexecstack'],
  ...['-Wl,-soname,ring0-calls.so', '-Wl,--build-id=none'],
];

export interface CallsFiles {
  /** Path of ring0-calls.so. */
  readonly library: string;
  /** Path of the file that makes ld.so load it. */
  readonly preload: string;
  /** Where that file says that the library stands in an image. */
  readonly path: string;
}

/**
 * Compiles the library that makes the system calls of a dynamic glibc go to the kernel by a jump: in about a second. The
 * same sources and compiler give the same bytes.
 *
 * @param folder is filled
 * @param replaced a source → what is compiled in its place, for tests
 * @throws KernelError `REQUIREMENTS_MISSING`, `BUILD_FAILED`
 */
export async function buildCalls(
  folder: string,
  options: { signal?: AbortSignal | undefined; replaced?: Readonly<Record<string, string>> } = {},
): Promise<CallsFiles> {
  const { signal, replaced = {} } = options;
  const here = import.meta.dirname;
  const sources = (await readdir(here)).filter((name) => /\.[cS]$/.test(name)).sort();
  const files: CallsFiles = {
    library: join(folder, 'ring0-calls.so'),
    preload: join(folder, 'ld.so.preload'),
    path: IMAGE_PATH,
  };
  try {
    // The names in it are relative, so it is the same wherever it is compiled.
    await runCommand('gcc', [...FLAGS, '-o', files.library, ...sources.map((name) => replaced[name] ?? name)], {
      cwd: here,
      signal,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    await requireCallsTools();
    throw new KernelError('BUILD_FAILED', `the library for system calls does not compile: ${join(here, '*.c')}`, {
      cause,
    });
  }
  await writeFile(files.preload, `${IMAGE_PATH}\n`);
  return files;
}
