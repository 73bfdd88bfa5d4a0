// SPDX-License-Identifier: Apache-2.0
import type { LayerRole } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import type { ImageConfig } from '../image-config.ts';
import type { ContentStore } from '../layout/store.ts';
import type { Manifest } from '../manifest.ts';
import type { Layer } from './request.ts';

/** An image of ours, read and checked. */
export interface UnikernelImage {
  /** The manifest's: where the descriptor named an index, the chosen one's. */
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  layers: Record<LayerRole, Layer>;
  profile: string;
  kernelVariant: string;
}

/**
 * Reads an image and checks that it is one of ours: four layers with their roles in order, as many diff_ids, linux on
 * amd64, a version that is known. Whether the layers are what their diff_ids say shows when they are read.
 *
 * @param descriptor of a manifest or of an index
 * @param options.profile which manifest of an index. Default: its first
 * @throws ImageError `MANIFEST_INVALID`, `CONFIG_INVALID`, `NOT_FOUND`
 */
export async function validateImage(
  _store: ContentStore,
  _descriptor: Descriptor,
  _options: { profile?: string } = {},
): Promise<UnikernelImage> {
  throw new Error('not written yet');
}
