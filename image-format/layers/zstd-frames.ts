// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';

/** RFC 8878, section 3.1.1 and 3.1.2 */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_MAX = 128 * 1024;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

export function invalidZstd(what: string): ImageError {
  return new ImageError('COMPRESSION_INVALID', `not valid zstd data: ${what}`);
}

/**
 * Finds where the frames of a zstd stream end, which Node's decompressor does not say: it stops at the end of the
 * first frame and keeps silent about what follows. Skippable frames are dropped.
 *
 * @returns one stream of bytes per frame; each must be read to its end before the next is asked for
 * @throws ImageError `COMPRESSION_INVALID` for anything that is no frame
 */
export async function* zstdFrames(reader: ByteReader): AsyncGenerator<AsyncGenerator<Buffer>, void, undefined> {
  while (!(await reader.atEnd())) {
    const magic = await reader.read(4);
    const number = magic.readUInt32LE();
    if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      await reader.skip((await reader.read(4)).readUInt32LE());
    } else if (number === FRAME_MAGIC) {
      yield frame(reader, magic);
    } else {
      throw invalidZstd('what stands where a frame should begin is none');
    }
  }
}

async function* frame(reader: ByteReader, magic: Buffer): AsyncGenerator<Buffer, void, undefined> {
  const descriptor = await reader.read(1);
  const flags = descriptor[0] ?? 0;
  if (flags & 0x08) throw invalidZstd('a frame header with its reserved bit set');
  const singleSegment = (flags & 0x20) !== 0;
  const windowSize = singleSegment ? 0 : 1;
  const dictionarySize = [0, 1, 2, 4][flags & 3] ?? 0;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  yield Buffer.concat([magic, descriptor, await reader.read(windowSize + dictionarySize + contentSize)]);
  for (let last = false; !last; ) {
    const header = await reader.read(3);
    const bits = header.readUIntLE(0, 3);
    const type = (bits >> 1) & 3;
    const size = type === RLE_BLOCK ? 1 : bits >> 3;
    if (type === RESERVED_BLOCK || size > BLOCK_MAX) throw invalidZstd('a block of a kind or size that does not exist');
    yield Buffer.concat([header, await reader.read(size)]);
    last = (bits & 1) !== 0;
  }
  if (flags & 0x04) yield await reader.read(4);
}
