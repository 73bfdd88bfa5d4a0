// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { cpioHeader, cpioTrailer, MODE } from './cpio.ts';

export const INITRD = 'initrd';

/** A small archive of folders that no layer makes. */
export function folderSegment(folders: readonly string[]): Buffer {
  if (folders.length === 0) return Buffer.alloc(0);
  const headers = folders.map((path, index) =>
    cpioHeader({ path, mode: MODE.directory | 0o755, uid: 0, gid: 0, mtime: 0, size: 0, inode: index + 1, links: 1 }),
  );
  return Buffer.concat([...headers, cpioTrailer()]);
}

/**
 * Puts archives, in memory or as files, one behind the other.
 *
 * @returns bytes written
 */
export async function concatenate(
  path: string,
  parts: readonly (string | Buffer)[],
  signal?: AbortSignal,
): Promise<number> {
  const sink = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 1024 * 1024 });
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const part of parts) {
      if (typeof part !== 'string') yield part;
      else yield* createReadStream(part, { highWaterMark: 1024 * 1024 });
    }
  }
  await pipeline(bytes, sink, { signal });
  return sink.bytesWritten;
}
