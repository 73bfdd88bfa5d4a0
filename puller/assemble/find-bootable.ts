// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import type { Bootable } from './bootable.ts';
import type { AssemblyCache } from './cache.ts';

/** What the cache keeps of an assembled image, beside its initrd. */
export interface ImageData extends Omit<Bootable, 'image' | 'kernel' | 'initrd'> {
  /** The cache's key of the kernel. */
  kernelKey: Digest;
}

/** An image that was assembled before, if all its files are still as they were. */
export async function findBootable(cache: AssemblyCache, image: Digest): Promise<Bootable | undefined> {
  const data = await cache.find<ImageData>('image', image);
  if (data === undefined || (await cache.find('kernel', data.kernelKey)) === undefined) return undefined;
  const { kernelKey, config, initrdSize, unpackedSize, profile, kernelJson, hz } = data;
  return {
    image,
    kernel: cache.file('kernel', kernelKey, 'vmlinux'),
    initrd: cache.file('image', image, 'initrd'),
    initrdSize,
    unpackedSize,
    config,
    profile,
    kernelJson,
    hz,
  };
}
