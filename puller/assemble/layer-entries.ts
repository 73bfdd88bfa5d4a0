// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RoledLayer } from '../../image-format/build/manifest/index.ts';
import { type Compression, layerCompression, VerifiedStream } from '../../image-format/index.ts';
import { decompress, type LayerFile, readLayer } from '../../image-format/layers/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';

/** No kernel layer unpacks to more, and no layer for an initramfs. */
const LAYER_MAX = 8 * 1024 ** 3;

/**
 * The files of a layer of ours. The blob was verified when the store took it; what it unpacks to is verified here.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`; ImageError for a damaged layer
 */
export async function* layerEntries(
  store: ContentStore,
  layer: RoledLayer,
  signal: AbortSignal | undefined,
): AsyncGenerator<LayerFile> {
  const { descriptor, diffId } = layer;
  const unpacked = Readable.from(decompress(store.stream(descriptor.digest), compressionOf(layer), LAYER_MAX), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  const verified = new VerifiedStream({ digest: diffId });
  const flow = pipeline(unpacked, verified, { signal });
  // The loop below throws the same.
  flow.catch(() => {});
  yield* readLayer(verified, { compression: 'none', limit: LAYER_MAX });
  await flow;
}

/** @throws PullerError `IMAGE_UNSUPPORTED` */
export function compressionOf({ descriptor, role }: RoledLayer): Compression {
  const compression = layerCompression(descriptor.mediaType);
  if (compression !== undefined) return compression;
  throw new PullerError('IMAGE_UNSUPPORTED', `the ${role} layer is ${descriptor.mediaType}, which is no layer`);
}
