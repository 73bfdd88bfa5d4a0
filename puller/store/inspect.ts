// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import {
  containerImageOf,
  isOurs,
  kernelLayerOf,
  type RoledLayer,
  readImage,
  unikernelOf,
} from '../../image-format/build/index.ts';
import type { Descriptor, Digest, ImageConfig, LayerRole, Manifest } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';

/** What `uk inspect --json` prints of an image. */
export interface InspectedImage {
  /** The manifest's; where the name stands for an index, the chosen one's. */
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  layers: { role: LayerRole; digest: Digest; size: number; diffId: Digest }[];
  /** From `/boot/profile.json`; a plain container image has none. */
  profile?: Profile;
  /** From `/boot/kernel.json`; a plain container image has none. */
  kernel?: Record<string, unknown>;
}

/**
 * Reads an image, with what its kernel layer says of itself where it has one.
 *
 * @param profile which manifest of an index. Default: its first
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `CONFIG_INVALID`
 */
export async function inspectImage(store: ContentStore, named: Descriptor, profile?: string): Promise<InspectedImage> {
  const plain = await readImage(store, named, profile);
  if (!isOurs(plain)) {
    const { descriptor, manifest, config, layers } = containerImageOf(plain);
    return { descriptor, manifest, config, layers: layersOf(layers) };
  }
  const image = await unikernelOf(store, plain);
  const kernel = await kernelLayerOf(image.descriptor, store);
  return {
    descriptor: image.descriptor,
    manifest: image.manifest,
    config: image.config,
    layers: layersOf(image.layers),
    profile: kernel.profile,
    kernel: kernel.kernelJson,
  };
}

function layersOf(layers: readonly RoledLayer[]): InspectedImage['layers'] {
  return layers.map(({ role, descriptor: { digest, size }, diffId }) => ({ role, digest, size, diffId }));
}
