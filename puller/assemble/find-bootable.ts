// SPDX-License-Identifier: Apache-2.0
import type { Digest, ExecutionConfig } from '../../image-format/index.ts';
import { DISK } from '../root/file-names.ts';
import type { Bootable, BootableRoot, ReadyKernel } from './bootable.ts';
import type { AssemblyCache } from './cache.ts';
import type { KernelData } from './kernel-files.ts';

/** What the cache keeps of an assembled image. An initramfs stands beside it. */
export interface ImageData {
  /** The cache's key of the kernel; a plain container image has none. */
  kernelKey?: Digest;
  config: ExecutionConfig;
  root: Omit<BootableRoot & { kind: 'initramfs' }, 'initrd'> | { kind: 'erofs'; key: Digest };
}

/**
 * An image that was assembled before, if all its files are still as they were.
 *
 * @param supply gives the kernel for an image that has none
 */
export async function findBootable(
  cache: AssemblyCache,
  image: Digest,
  supply: () => Promise<ReadyKernel>,
): Promise<Bootable | undefined> {
  const data = await cache.find<ImageData>('image', image);
  if (data === undefined) return undefined;
  const root = await findRoot(cache, image, data.root);
  if (root === undefined) return undefined;
  const kernel = data.kernelKey === undefined ? await supply() : await findKernel(cache, data.kernelKey);
  if (kernel === undefined) return undefined;
  const { vmlinux, ...said } = kernel;
  return { ...said, image, kernel: vmlinux, root, config: data.config };
}

/** A kernel that was taken out of its layer before. */
export async function findKernel(cache: AssemblyCache, key: Digest): Promise<ReadyKernel | undefined> {
  const data = await cache.find<KernelData>('kernel', key);
  return data === undefined ? undefined : { ...data, vmlinux: cache.file('kernel', key, 'vmlinux') };
}

async function findRoot(
  cache: AssemblyCache,
  image: Digest,
  root: ImageData['root'],
): Promise<BootableRoot | undefined> {
  if (root.kind === 'initramfs') return { ...root, initrd: cache.file('image', image, 'initrd') };
  const found = await cache.find('root', root.key);
  return found === undefined ? undefined : { kind: 'erofs', disk: cache.file('root', root.key, DISK) };
}
