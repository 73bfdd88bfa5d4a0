// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../digest.ts';
import type { ContentStore } from '../layout/store.ts';
import type { LayerEntry } from './entry.ts';

export interface WriteLayerOptions {
  compression: 'zstd' | 'gzip';
  /** zstd 1–22, gzip 1–9. */
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

/**
 * Writes a layer into the store. The same entries give the same bytes, in whatever order they come: they are sorted by
 * the bytes of their paths, and parents that nobody named are made (0755, root).
 *
 * @throws ImageError `LAYER_INVALID`, `SOURCE_INVALID`, `STORE_IO`
 */
export async function writeLayer(
  _entries: Iterable<LayerEntry> | AsyncIterable<LayerEntry>,
  _store: Pick<ContentStore, 'ingest'>,
  _options: WriteLayerOptions,
): Promise<WrittenLayer> {
  throw new Error('not written yet');
}
