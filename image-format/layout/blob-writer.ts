// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../digest.ts';
import { type Expected, VerifiedStream } from '../verified-stream.ts';

/** Foreign bytes: through the verified stream into a file. */
export async function receiveVerified(
  source: Readable,
  expected: Expected,
  file: FileHandle,
  signal: AbortSignal | undefined,
): Promise<void> {
  await pipeline(source, new VerifiedStream(expected), (chunks) => writeAll(chunks, file), signal ? { signal } : {});
}

/** Bytes of our own: hashed as they are written. */
export async function receiveUnknown(
  source: Readable,
  file: FileHandle,
  signal: AbortSignal | undefined,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  async function* hashed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  await pipeline(source, hashed, (chunks) => writeAll(chunks, file), signal ? { signal } : {});
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

async function writeAll(chunks: AsyncIterable<Buffer>, file: FileHandle): Promise<void> {
  for await (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > 0) {
      const { bytesWritten } = await file.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }
}
