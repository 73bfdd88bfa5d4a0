// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import type { ContentStore } from '../layout/store.ts';

/**
 * One index over images for several profiles; the first is the default.
 *
 * @param manifests of images of ours that the store holds
 * @returns the index's descriptor
 * @throws ImageError `MANIFEST_INVALID` (two for one profile), `NOT_FOUND`, `STORE_IO`
 */
export async function buildIndex(_manifests: readonly Descriptor[], _store: ContentStore): Promise<Descriptor> {
  throw new Error('not written yet');
}
