// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Digest } from '../image-format/index.ts';
import { runCommand } from './command.ts';

/** The tools whose version can show in the bytes of a kernel. */
export interface Toolchain {
  /** First line of `gcc --version`; Debian's revision is in it. */
  readonly compiler: string;
  readonly linker: string;
  /** Digest of the C library that is linked into the guest's init. */
  readonly libc: Digest;
}

export async function findToolchain(signal?: AbortSignal): Promise<Toolchain> {
  const [compiler, linker, libc] = await Promise.all([
    runCommand('gcc', ['--version'], { signal }),
    runCommand('ld', ['--version'], { signal }),
    runCommand('musl-gcc', ['-print-file-name=libc.a'], { signal }),
  ]);
  const archive = await readFile(libc.trim());
  return {
    compiler: firstLine(compiler),
    linker: firstLine(linker),
    libc: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  };
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';
