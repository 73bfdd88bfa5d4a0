// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, MEDIA_TYPE } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { cacheFolder } from '../store/folders.ts';
import type { Bootable } from './bootable.ts';
import { AssemblyCache } from './cache.ts';
import { findBootable } from './find-bootable.ts';
import type { AssembleOptions } from './options.ts';

/**
 * Makes an image of the store bootable: its kernel as a file, its other layers as one initramfs. All of it is kept in
 * the cache, per layer and per image, so the next time costs a few looks at files.
 *
 * @param descriptor of the manifest, or of an index
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; ImageError for an image that is damaged or none of ours
 */
export async function assemble(
  store: ContentStore,
  descriptor: Descriptor,
  options: AssembleOptions = {},
): Promise<Bootable> {
  const cache = new AssemblyCache(options.cacheDir ?? cacheFolder());
  if (descriptor.mediaType === MEDIA_TYPE.manifest) {
    const known = await findBootable(cache, descriptor.digest);
    if (known !== undefined) return known;
  }
  // What only the first time needs is loaded only then.
  const { Assembly } = await import('./assembly.ts');
  return new Assembly(store, cache, options).run(descriptor);
}
