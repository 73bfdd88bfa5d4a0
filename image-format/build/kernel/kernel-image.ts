// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../../hardware-profiles/index.ts';
import { ANNOTATION } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import { ImageError } from '../../errors.ts';
import type { ContentStore } from '../../layout/store.ts';
import { sourceDateEpoch } from '../manifest/source-date.ts';
import { readRoledImage } from '../manifest/validate-image.ts';
import { writeManifest } from '../manifest/write-manifest.ts';
import type { BuildOptions, BuiltImage, KernelFiles, Layer } from '../request.ts';
import { type KernelDescriptions, readKernelDescriptions } from './kernel-descriptions.ts';
import { readKernelFiles, writeKernelLayer } from './kernel-layer.ts';

/**
 * An image of a kernel alone: an ordinary image with the kernel layer as its only one. It is pushed, pulled and copied
 * as any image is, and `buildImage` takes its layer as it is.
 *
 * @throws ImageError `SOURCE_INVALID`, `STORE_IO`
 */
export async function buildKernelImage(
  kernel: KernelFiles,
  profile: Profile,
  store: ContentStore,
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const { compression = 'zstd', signal } = options;
  const created = sourceDateEpoch(options.sourceDateEpoch);
  const content = await readKernelFiles(kernel);
  const layer = await writeKernelLayer(content, profile, store, {
    compression,
    mtime: created ?? 0,
    ...(signal === undefined ? {} : { signal }),
  });
  return await writeManifest(store, {
    layers: [{ role: 'kernel', ...layer }],
    execution: {},
    profile: profile.name,
    kernelVariant: content.variant,
    annotations: content.preset === undefined ? {} : { [ANNOTATION.kernelPreset]: content.preset },
    created,
  });
}

/** A kernel layer with what is in it. */
export interface KernelLayer extends KernelDescriptions {
  layer: Layer;
}

/**
 * The kernel layer of a kernel image, or of any image of ours.
 *
 * @param options.profile which manifest of an index. Default: the first that the store holds
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `LAYER_INVALID`; ProfileError `PROFILE_INVALID`
 */
export async function kernelLayerOf(
  descriptor: Descriptor,
  store: ContentStore,
  options: { profile?: string } = {},
): Promise<KernelLayer> {
  const image = await readRoledImage(store, descriptor, options);
  const [layer] = image.layers;
  if (layer === undefined) throw new ImageError('MANIFEST_INVALID', `the image ${descriptor.digest} has no layers`);
  return { layer, ...(await readKernelDescriptions(store, layer)), variant: image.kernelVariant };
}
