// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import type { Descriptor } from '../descriptor.ts';
import type { ContentStore } from '../layout/store.ts';
import type { BuildOptions, BuiltImage, KernelFiles, Layer } from './request.ts';

/**
 * An image of a kernel alone: an ordinary image with the kernel layer as its only one. It is pushed, pulled and copied
 * as any image is, and `buildImage` takes its layer as it is.
 *
 * @throws ImageError `SOURCE_INVALID`, `STORE_IO`
 */
export async function buildKernelImage(
  _kernel: KernelFiles,
  _profile: Profile,
  _store: ContentStore,
  _options: BuildOptions = {},
): Promise<BuiltImage> {
  throw new Error('not written yet');
}

/** A kernel layer with what is in it. */
export interface KernelLayer {
  layer: Layer;
  variant: string;
  /** From `/boot/profile.json`: an image with this layer is for this profile. */
  profile: Profile;
  /** From `/boot/kernel.json`. */
  kernelJson: Record<string, unknown>;
}

/**
 * The kernel layer of a kernel image, or of any image of ours.
 *
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`
 */
export async function kernelLayerOf(_descriptor: Descriptor, _store: ContentStore): Promise<KernelLayer> {
  throw new Error('not written yet');
}
