// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Digest } from '../digest.ts';
import type { ContentStore } from '../layout/store.ts';
import { arrange } from './arrange.ts';
import type { LayerEntry } from './entry.ts';
import { writeTar } from './write-tar.ts';

export interface WriteLayerOptions {
  compression: 'zstd' | 'gzip';
  /** zstd 1–22, gzip 1–9. Default: {@link DEFAULT_LEVEL}. */
  level?: number;
  /** Modification time of every entry, in seconds since 1970 (`SOURCE_DATE_EPOCH`). Default: 0. */
  mtime?: number;
  signal?: AbortSignal;
}

export interface WrittenLayer {
  /** Digest of the tar archive before compression. */
  diffId: Digest;
  /** Digest of the blob as it is stored. */
  digest: Digest;
  /** Bytes of the blob. */
  size: number;
}

/** Measured in docs/image-format.md, "Compression". */
export const DEFAULT_LEVEL = { zstd: 9, gzip: 6 } as const;

/** What a compressor makes of a stream may depend on the pieces it gets: they are always of this size. */
const STEP = 256 * 1024;

/**
 * Writes a layer into the store. The same entries give the same bytes, in whatever order they come: they are sorted by
 * the bytes of their paths, and parents that nobody named are made (0755, root).
 *
 * @throws ImageError `LAYER_INVALID`, `SOURCE_INVALID`, `STORE_IO`
 */
export async function writeLayer(
  entries: Iterable<LayerEntry> | AsyncIterable<LayerEntry>,
  store: Pick<ContentStore, 'ingest'>,
  options: WriteLayerOptions,
): Promise<WrittenLayer> {
  const { mtime = 0, signal } = options;
  const arranged = arrange(await all(entries));
  const hash = createHash('sha256');
  const compressor = createCompressor(options);
  const abort = signal === undefined ? {} : { signal };
  const compressed = pipeline(Readable.from(steps(writeTar(arranged, mtime), hash)), compressor, abort);
  // If the archive fails, the compressor is destroyed with that error, and ingest() throws it.
  compressed.catch(() => {});
  const { digest, size } = await store.ingest(compressor, abort);
  await compressed;
  return { diffId: `sha256:${hash.digest('hex')}`, digest, size };
}

async function all<T>(items: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function createCompressor({ compression, level = DEFAULT_LEVEL[compression] }: WriteLayerOptions): Transform {
  switch (compression) {
    case 'gzip':
      // zlib writes no time and no name into the header.
      return createGzip({ level, chunkSize: STEP });
    case 'zstd':
      return createZstdCompress({ chunkSize: STEP, params: { [constants.ZSTD_c_compressionLevel]: level } });
  }
}

/** The same bytes in pieces of one size. */
async function* steps(
  chunks: AsyncIterable<Buffer>,
  hash: { update(bytes: Buffer): unknown },
): AsyncGenerator<Buffer, void, undefined> {
  let step = Buffer.allocUnsafe(STEP);
  let filled = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    for (let offset = 0; offset < chunk.length; ) {
      const copied = chunk.copy(step, filled, offset);
      offset += copied;
      filled += copied;
      if (filled < STEP) continue;
      yield step;
      step = Buffer.allocUnsafe(STEP);
      filled = 0;
    }
  }
  if (filled > 0) yield step.subarray(0, filled);
}
