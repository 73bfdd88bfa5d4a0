// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { Profile } from '../../hardware-profiles/index.ts';
import type { RoledLayer } from '../../image-format/build/manifest/index.ts';
import type { Descriptor } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { cacheFolder } from '../store/folders.ts';
import type { ReadyKernel } from './bootable.ts';
import { AssemblyCache } from './cache.ts';
import { findKernel } from './find-bootable.ts';
import { abilitiesOf, extractKernel, type KernelData } from './kernel-files.ts';
import { layerEntries } from './layer-entries.ts';
import type { AssembleOptions } from './options.ts';

/**
 * The kernel of a layer, taken out of it where the cache does not hold it.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; ImageError for a damaged layer
 */
export async function readyKernel(
  store: ContentStore,
  cache: AssemblyCache,
  layer: RoledLayer,
  { signal, onProgress }: Pick<AssembleOptions, 'signal' | 'onProgress'>,
): Promise<ReadyKernel> {
  const { role, diffId } = layer;
  const known = await findKernel(cache, diffId);
  if (known !== undefined) return known;
  onProgress?.({ phase: 'kernel', layer: role });
  const data = await cache.make<KernelData>('kernel', diffId, (folder) =>
    extractKernel(folder, layerEntries(store, layer, signal)),
  );
  return { ...data, vmlinux: cache.file('kernel', diffId, 'vmlinux') };
}

/**
 * The kernel of a kernel image, or of any image of ours.
 *
 * @param options.profile which image of an index
 * @throws as {@link readyKernel}; ImageError `MANIFEST_INVALID` for an image without a kernel
 */
export async function kernelOfImage(
  store: ContentStore,
  descriptor: Descriptor,
  options: Pick<AssembleOptions, 'cacheDir' | 'profile' | 'signal' | 'onProgress'> = {},
): Promise<ReadyKernel> {
  const { kernelLayerOf } = await import('../../image-format/build/index.ts');
  const cache = new AssemblyCache(options.cacheDir ?? cacheFolder());
  const which = options.profile === undefined ? {} : { profile: options.profile };
  const { layer } = await kernelLayerOf(descriptor, store, which);
  return readyKernel(store, cache, { ...layer, role: 'kernel' }, options);
}

/** The files of a kernel that was built on this machine. */
export async function kernelOfFiles(
  files: { vmlinux: string; config: string; kernelJson: string },
  profile: Profile,
): Promise<ReadyKernel> {
  const [config, kernelJson] = await Promise.all([
    readFile(files.config, 'latin1'),
    readFile(files.kernelJson, 'utf8'),
  ]);
  return { vmlinux: files.vmlinux, profile, kernelJson: JSON.parse(kernelJson), ...abilitiesOf(config) };
}
