// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Digest } from '../image-format/index.ts';
import { runCommand } from './command.ts';

/** The tools whose version can show in the bytes of what they make. */
export interface Compiler {
  /** First line of `gcc --version`; Debian's revision is in it. */
  readonly compiler: string;
  readonly linker: string;
}

/** What a kernel is made with. */
export interface Toolchain extends Compiler {
  /** Digest of the C library that is linked into the guest's init. */
  readonly libc: Digest;
}

export async function findToolchain(signal?: AbortSignal): Promise<Toolchain> {
  const [compiler, libc] = await Promise.all([
    findCompiler(signal),
    runCommand('musl-gcc', ['-print-file-name=libc.a'], { signal }),
  ]);
  const archive = await readFile(libc.trim());
  return {
    ...compiler,
    libc: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  };
}

export async function findCompiler(signal?: AbortSignal): Promise<Compiler> {
  const [compiler, linker] = await Promise.all([
    runCommand('gcc', ['--version'], { signal }),
    runCommand('ld', ['--version'], { signal }),
  ]);
  return { compiler: firstLine(compiler), linker: firstLine(linker) };
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';
