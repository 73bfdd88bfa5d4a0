// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import { kernelLayerOf, validateImage } from '../../image-format/build/index.ts';
import type { Descriptor, Digest, ImageConfig, LayerRole, Manifest } from '../../image-format/index.ts';
import { LAYER_ROLES } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';

/** What `uk inspect --json` prints of an image. */
export interface InspectedImage {
  /** The manifest's; where the name stands for an index, the chosen one's. */
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  layers: { role: LayerRole; digest: Digest; size: number; diffId: Digest }[];
  /** From `/boot/profile.json`. */
  profile: Profile;
  /** From `/boot/kernel.json`. */
  kernel: Record<string, unknown>;
}

/**
 * Reads an image with what its kernel layer says of itself.
 *
 * @param profile which manifest of an index. Default: its first
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `CONFIG_INVALID`
 */
export async function inspectImage(store: ContentStore, named: Descriptor, profile?: string): Promise<InspectedImage> {
  const image = await validateImage(store, named, profile === undefined ? {} : { profile });
  const kernel = await kernelLayerOf(image.descriptor, store);
  return {
    descriptor: image.descriptor,
    manifest: image.manifest,
    config: image.config,
    layers: LAYER_ROLES.map((role) => {
      const { descriptor, diffId } = image.layers[role];
      return { role, digest: descriptor.digest, size: descriptor.size, diffId };
    }),
    profile: kernel.profile,
    kernel: kernel.kernelJson,
  };
}
