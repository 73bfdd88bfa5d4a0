// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { ImageError } from '../errors.ts';
import type { EntrySource } from './entry.ts';

const STEP = 1024 * 1024;

/** Content of known length. */
export interface OpenSource {
  size: number;
  /** Exactly `size` bytes. */
  chunks(): AsyncGenerator<Buffer, void, undefined>;
  close(): Promise<void>;
}

/** @throws ImageError `SOURCE_INVALID` */
export async function openSource(source: EntrySource): Promise<OpenSource> {
  if ('bytes' in source) {
    const { buffer, byteOffset, length } = source.bytes;
    async function* chunks(): AsyncGenerator<Buffer> {
      yield Buffer.from(buffer as ArrayBuffer, byteOffset, length);
    }
    return { size: length, chunks, close: async () => {} };
  }
  const path = 'file' in source ? source.file : source.partOf;
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const info = await file.stat();
    if (!info.isFile()) throw new ImageError('SOURCE_INVALID', `not a regular file: ${path}`);
    const opened = file;
    const { size } = 'file' in source ? info : source;
    const chunks = () =>
      'file' in source ? fileChunks(opened, path, size) : partChunks(opened, path, source.start, size);
    return { size, chunks, close: () => opened.close() };
  } catch (cause) {
    await file?.close();
    throw cause instanceof ImageError ? cause : unreadable(path, cause);
  }
}

async function* partChunks(
  file: FileHandle,
  path: string,
  start: number,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let done = 0; done < size; ) {
    const length = Math.min(STEP, size - done);
    const { bytesRead, buffer } = await file
      .read(Buffer.allocUnsafe(length), 0, length, start + done)
      .catch((cause) => {
        throw unreadable(path, cause);
      });
    if (bytesRead === 0) throw changed(path);
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The size stands in the archive before the content: a file that changes in between would damage it. */
async function* fileChunks(file: FileHandle, path: string, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = 0; offset <= size; ) {
    const { bytesRead, buffer } = await file
      .read(Buffer.allocUnsafe(Math.min(STEP, size - offset + 1)), 0, null, offset)
      .catch((cause) => {
        throw unreadable(path, cause);
      });
    if (bytesRead === 0 && offset === size) return;
    offset += bytesRead;
    if (bytesRead === 0 || offset > size) throw changed(path);
    yield buffer.subarray(0, bytesRead);
  }
}

function changed(path: string): ImageError {
  return new ImageError('SOURCE_INVALID', `${path} changed while it was read`, { hint: 'build again' });
}

function unreadable(path: string, cause: unknown): ImageError {
  return new ImageError('SOURCE_INVALID', `cannot read ${path}: ${(cause as Error).message}`, { cause });
}
