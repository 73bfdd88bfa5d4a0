// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Digest, digestOf } from '../digest.ts';
import type { Compression } from '../media-types.ts';
import type { EntryHeader } from './entry.ts';
import { type ReadLayerOptions, readLayer } from './read-layer.ts';

/** For tests: a store that keeps what it is given. */
export class MemoryStore {
  blob: Buffer = Buffer.alloc(0);

  async ingest(source: Readable): Promise<{ digest: Digest; size: number }> {
    this.blob = await buffer(source);
    return { digest: digestOf(this.blob), size: this.blob.length };
  }
}

/** For tests: pieces of one byte, of a few, or all at once. */
export function inPieces(bytes: Uint8Array, size: number): Readable {
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
  }
  return Readable.from(pieces());
}

export interface ReadEntry extends EntryHeader {
  bytes: Buffer;
}

/** For tests: a whole layer in memory. */
export async function readAll(
  bytes: Uint8Array,
  compression: Compression,
  options: Partial<ReadLayerOptions> & { piece?: number } = {},
): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = [];
  const { piece = 64 * 1024, ...rest } = options;
  for await (const { content, ...header } of readLayer(inPieces(bytes, piece), { compression, ...rest })) {
    const pieces: Buffer[] = [];
    for await (const chunk of content) pieces.push(Buffer.from(chunk));
    entries.push({ ...header, bytes: Buffer.concat(pieces) });
  }
  return entries;
}
