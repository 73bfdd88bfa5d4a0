// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import { ImageError } from '../../../image-format/index.ts';
import { decompress, detectCompression, peek } from '../../../image-format/layers/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import type { ByteRange } from '../../storage/contract.ts';

/** Bytes that say how a blob is compressed. */
const HEAD = 16;

/** Where a file's content is in a layer. */
export interface ContentPlace {
  layer: Digest;
  /** Bytes from the start of the plain archive. */
  offset: number;
  size: number;
}

/**
 * The bytes of a file, out of its layer: a compressed one is unpacked from its start.
 *
 * @throws RegistryError `CONTENT_UNREADABLE`, `BLOB_UNKNOWN`
 */
export async function* fileContent(
  service: Service,
  repository: string,
  { layer, offset, size }: ContentPlace,
): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  const blob = await service.blobs.get(repository, layer);
  const read = (range?: ByteRange) => service.blobs.read(blob, range);
  const { head } = await peek(await read({ start: 0, end: Math.min(HEAD, blob.size) - 1 }));
  const compression = detectCompression(head);
  if (compression === 'none') {
    // Chunks are valid until the next one only; whoever gets them may not know.
    for await (const chunk of await read({ start: offset, end: offset + size - 1 })) yield Buffer.from(chunk);
    return;
  }
  try {
    yield* part(decompress(await read(), compression, Number.POSITIVE_INFINITY), offset, size);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new RegistryError('CONTENT_UNREADABLE', error.message, { cause: error });
  }
}

/** `size` bytes of a stream from `offset` on; the rest is not read. */
async function* part(source: AsyncIterable<Buffer>, offset: number, size: number): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of source) {
    const from = Math.max(0, offset - position);
    const to = Math.min(chunk.length, offset + size - position);
    if (from < to) yield chunk.subarray(from, to);
    position += chunk.length;
    if (position >= offset + size) return;
  }
  throw new RegistryError('CONTENT_UNREADABLE', 'the layer ends before the file does');
}
