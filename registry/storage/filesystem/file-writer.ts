// SPDX-License-Identifier: Apache-2.0
import { writevSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../contract.ts';
import { Caution } from './caution.ts';

/** Less than this is not worth a call of the kernel. */
const LEAST = 32 * 1024;
/** How much is gathered for another thread. */
const STEP = 256 * 1024;

/**
 * Bytes that just came out of a socket, and were just hashed, are in this processor's cache. To write them at once, into
 * the kernel's memory, takes a quarter of the time that another thread needs on another processor: measured, half of all
 * the work of a push. But a disk that cannot follow makes even such a write wait; then others do it for a while.
 */
const WRITES = new Caution(5, 1000);

/**
 * Writes all that a source gives, from an offset on.
 *
 * @param caution whether to leave the writing to other threads
 * @returns the offset behind the last byte
 */
export async function writeAll(
  handle: FileHandle,
  offset: number,
  source: ByteSource,
  caution: Caution = WRITES,
): Promise<number> {
  let position = offset;
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  /** What another thread writes; the next step is gathered meanwhile. */
  let writing: Promise<void> = Promise.resolve();

  const flush = async () => {
    const [chunks, size, at] = [gathered, bytes, position];
    gathered = [];
    bytes = 0;
    position += size;
    if (!caution.advised && caution.watch(() => writevSync(handle.fd, chunks, at)) === size) {
      for (const chunk of chunks) source.release?.(chunk);
      return;
    }
    await writing;
    writing = writeFully(handle, chunks, size, at, source);
    // It is awaited before the next step; until then its failure is nobody's unhandled rejection.
    writing.catch(() => undefined);
  };

  try {
    for await (const chunk of source) {
      gathered.push(chunk);
      bytes += chunk.length;
      if (bytes >= (caution.advised ? STEP : LEAST)) await flush();
    }
    if (bytes > 0) await flush();
  } finally {
    // Nothing may still be written once the caller closes the file.
    await writing.catch(() => undefined);
  }
  await writing;
  return position;
}

/** `writev` may write less than it was given (a disk that just became full); from there on again, it says why. */
async function writeFully(
  handle: FileHandle,
  chunks: Uint8Array[],
  bytes: number,
  position: number,
  source: ByteSource,
): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten < bytes) {
    const rest = Buffer.concat(chunks).subarray(bytesWritten);
    let done = 0;
    while (done < rest.length) {
      done += (await handle.write(rest, done, rest.length - done, position + bytesWritten + done)).bytesWritten;
    }
  }
  for (const chunk of chunks) source.release?.(chunk);
}
