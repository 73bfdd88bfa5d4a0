// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { ImageError } from '../errors.ts';

const READ_STEP = 1024 * 1024;

/**
 * A file of this machine as a stream.
 *
 * @throws ImageError `SOURCE_INVALID` where it is missing, or no file (a pipe would never end)
 */
export async function openFile(path: string): Promise<Readable> {
  await sizeOf(path);
  const file = createReadStream(path, { highWaterMark: READ_STEP });
  // Whoever reads it gets the error from the iterator; nobody may be reading yet.
  file.on('error', () => {});
  return file;
}

/** A small file. @throws ImageError `SOURCE_INVALID`, `SIZE_MISMATCH` above `limit` bytes */
export async function readSmallFile(path: string, limit: number): Promise<Buffer> {
  const size = await sizeOf(path);
  if (size > limit) {
    throw new ImageError('SIZE_MISMATCH', `${path} has ${size} bytes; at most ${limit} are allowed`);
  }
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (found.isFile()) return found.size;
  throw new ImageError('SOURCE_INVALID', `not a file: ${path}`);
}

function unreadable(path: string, cause: unknown): ImageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new ImageError('SOURCE_INVALID', `no such file: ${path}`, { cause });
  return new ImageError('SOURCE_INVALID', `cannot read ${path}: ${message}`, { cause });
}
