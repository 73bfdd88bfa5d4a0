// SPDX-License-Identifier: Apache-2.0
import type { Compression } from '../media-types.ts';
import type { LayerFile } from './entry.ts';

export interface ReadLayerOptions {
  compression: Compression;
  /** Most bytes that the layer may unpack to. Default: 16 GiB. */
  limit?: number;
}

/**
 * Reads a layer entry by entry. Paths are cleaned (a leading `/` or `./` goes), `..` is refused; whether a path leads
 * through a link is the caller's concern, as is the order of links and their targets.
 *
 * @param source the blob, already verified against its digest
 * @throws ImageError `LAYER_INVALID`, `COMPRESSION_INVALID`
 */
export async function* readLayer(
  _source: AsyncIterable<Uint8Array>,
  _options: ReadLayerOptions,
): AsyncGenerator<LayerFile, void, undefined> {
  yield await Promise.reject(new Error('not written yet'));
}
