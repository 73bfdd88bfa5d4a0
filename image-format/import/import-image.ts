// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { ContentStore } from '../layout/store.ts';
import { importArchive } from './docker-archive.ts';
import { importLayout } from './oci-layout.ts';
import { formatSource, type ImageSource } from './source.ts';

/**
 * Takes an image of this machine into the store: one manifest with its config and layers, and the index that it was
 * chosen from. All of it is verified. It has no name in the store, so it is collected after an hour unless the caller
 * names it, or an image that shares its layers.
 *
 * @returns the descriptor of the manifest, or of the index
 * @throws ImageError that names the source: `NOT_FOUND` (there is no such image), `SOURCE_INVALID` (no such file),
 *   `LAYOUT_INVALID`, `MANIFEST_INVALID`, `CONFIG_INVALID`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `STORE_IO`
 */
export async function importImage(
  store: ContentStore,
  source: ImageSource,
  options: { signal?: AbortSignal } = {},
): Promise<Descriptor> {
  try {
    return source.kind === 'oci'
      ? await importLayout(store, source, options)
      : await importArchive(store, source, options);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code === 'STORE_IO') throw error;
    throw new ImageError(error.code, `${formatSource(source)}: ${error.message}`, { cause: error, hint: error.hint });
  }
}
