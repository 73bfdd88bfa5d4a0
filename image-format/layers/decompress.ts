// SPDX-License-Identifier: Apache-2.0
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ImageError } from '../errors.ts';
import type { Compression } from '../media-types.ts';
import { ByteReader } from './byte-reader.ts';
import { invalidZstd, zstdFrames } from './zstd-frames.ts';

const STEP = 256 * 1024;

/**
 * Unpacks a compressed stream to its last byte: what is damaged, ends early or goes on after its end is an error.
 *
 * @param limit most bytes that may come out
 * @throws ImageError `COMPRESSION_INVALID`
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  limit: number,
): AsyncGenerator<Buffer, void, undefined> {
  let seen = 0;
  for await (const chunk of unpack(source, compression)) {
    seen += chunk.length;
    if (seen > limit) throw new ImageError('COMPRESSION_INVALID', `the layer unpacks to more than ${limit} bytes`);
    yield chunk;
  }
}

function unpack(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Buffer> {
  switch (compression) {
    case 'gzip':
      return gunzip(source);
    case 'zstd':
      return unzstd(source);
    case 'none':
      return buffers(source);
  }
}

async function* buffers(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const { buffer, byteOffset, length } of source) yield Buffer.from(buffer, byteOffset, length);
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: STEP });
  let offered = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      offered += chunk.length;
      yield chunk;
    }
  }
  yield* through(counted(), gunzip, 'gzip');
  // Zeros behind the last member are padding to zlib; a blob has none.
  if (gunzip.bytesWritten !== offered) throw goesOn('gzip');
}

async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source, () => invalidZstd('it ends too early'));
  let frames = 0;
  try {
    for await (const frame of zstdFrames(reader)) {
      frames++;
      yield* through(frame, createZstdDecompress({ chunkSize: STEP }), 'zstd');
    }
  } finally {
    await reader.close();
  }
  if (frames === 0) throw invalidZstd('it is empty');
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  decompressor: Transform,
  name: string,
): AsyncGenerator<Buffer> {
  const fed = pipeline(Readable.from(source, { objectMode: false }), decompressor);
  // Its error is the decompressor's own, which the loop below throws.
  fed.catch(() => {});
  try {
    yield* decompressor;
  } catch (cause) {
    const code = String((cause as NodeJS.ErrnoException).code);
    if (!code.startsWith('Z')) throw cause;
    throw new ImageError('COMPRESSION_INVALID', `not valid ${name} data: ${(cause as Error).message}`, { cause });
  }
  await fed.catch((cause) => {
    // Its output has ended, and it was still being written to.
    throw (cause as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE' ? goesOn(name) : cause;
  });
}

function goesOn(name: string): ImageError {
  return new ImageError('COMPRESSION_INVALID', `not valid ${name} data: it goes on after its end`);
}
