// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, MEDIA_TYPE } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { cacheFolder } from '../store/folders.ts';
import type { Bootable, ReadyKernel } from './bootable.ts';
import { AssemblyCache } from './cache.ts';
import { findBootable } from './find-bootable.ts';
import type { AssembleOptions } from './options.ts';

/**
 * Makes an image of the store bootable: its kernel as a file, its other layers as one initramfs or as one disk. All of
 * it is kept in the cache, per layer and per image, so the next time costs a few looks at files.
 *
 * @param descriptor of the manifest, or of an index
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; ImageError for an image that is damaged; what `options.kernel`
 *   throws
 */
export async function assemble(
  store: ContentStore,
  descriptor: Descriptor,
  options: AssembleOptions = {},
): Promise<Bootable> {
  const cache = new AssemblyCache(options.cacheDir ?? cacheFolder());
  const supply = supplyOnce(options.kernel ?? noKernel);
  if (descriptor.mediaType === MEDIA_TYPE.manifest || descriptor.mediaType === MEDIA_TYPE.dockerManifest) {
    const known = await findBootable(cache, descriptor.digest, supply);
    if (known !== undefined) return known;
  }
  // What only the first time needs is loaded only then.
  const { Assembly } = await import('./assembly.ts');
  return new Assembly(store, cache, { ...options, kernel: supply }).run(descriptor);
}

/** Choosing a kernel may take long, and says what was chosen. */
function supplyOnce(supply: () => Promise<ReadyKernel>): () => Promise<ReadyKernel> {
  let supplied: Promise<ReadyKernel> | undefined;
  return () => {
    supplied ??= supply();
    return supplied;
  };
}

function noKernel(): Promise<never> {
  throw new PullerError('IMAGE_UNSUPPORTED', 'this is a plain container image: it has no kernel', {
    hint: 'uk build --from-image makes a unikernel image of it',
  });
}
