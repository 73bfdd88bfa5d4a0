// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ImageError } from '../../errors.ts';
import { type ElfFile, isElf, readElf } from './elf.ts';

/** What the kernel would make of a file that is executed. */
export type Executable =
  | { kind: 'elf'; elf: ElfFile }
  | { kind: 'script'; interpreter: string; argument: string | undefined };

/** Linux reads that much of a `#!` line (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h). */
const SCRIPT_LINE = 256;

/** @throws ImageError `SOURCE_INVALID`, `ELF_INVALID` */
export async function readExecutable(path: string): Promise<Executable> {
  return await withFile(path, async (read) => {
    const start = await read(0, SCRIPT_LINE);
    const script = parseScript(start);
    return script ?? { kind: 'elf', elf: await readElf(read, path) };
  });
}

/** An ELF file for x86-64, or undefined for anything else: data, scripts, other machines' files, damaged ones. */
export async function readElfIfAny(path: string): Promise<ElfFile | undefined> {
  return await withFile(path, async (read) => {
    if (!isElf(await read(0, 4))) return undefined;
    try {
      return await readElf(read, path);
    } catch (error) {
      if (error instanceof ImageError && error.code === 'ELF_INVALID') return undefined;
      throw error;
    }
  });
}

/** `#! interpreter [one argument]`, as fs/binfmt_script.c reads it. */
function parseScript(start: Buffer): Executable | undefined {
  if (start[0] !== 0x23 || start[1] !== 0x21) return undefined;
  const end = start.indexOf(0x0a);
  const line = start.toString('utf8', 2, end < 0 ? start.length : end);
  const match = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t\r]*$/.exec(line);
  if (match?.[1] === undefined) return undefined;
  return { kind: 'script', interpreter: match[1].replace(/\r$/, ''), argument: match[2] || undefined };
}

async function withFile<T>(
  path: string,
  use: (read: (o: number, l: number) => Promise<Buffer>) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    // Before it is opened: that would wait for somebody to write to a FIFO, and may do anything to a device.
    const stats = await stat(path);
    if (!stats.isFile() && !stats.isDirectory()) {
      throw new ImageError('SOURCE_INVALID', `cannot read ${path}: it is no regular file`);
    }
    file = await open(path);
    const opened = file;
    return await use(async (offset, length) => {
      const { buffer, bytesRead } = await opened.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    });
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a folder' : (cause as Error).message;
    throw new ImageError('SOURCE_INVALID', `cannot read ${path}: ${why}`, { cause });
  } finally {
    await file?.close();
  }
}
