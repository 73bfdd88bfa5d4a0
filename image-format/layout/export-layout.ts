// SPDX-License-Identifier: Apache-2.0
import type { ContentStore } from './store.ts';

/**
 * Writes what a name reaches as an OCI image layout of its own, which `skopeo copy oci:DIR:TAG` and others read.
 *
 * @param dir made by this call; it must not exist or be empty
 * @throws ImageError `NOT_FOUND`, `STORE_IO`, `LAYOUT_INVALID`
 * @see image-spec image-layout.md
 */
export async function exportLayout(_store: ContentStore, _name: string, _dir: string): Promise<void> {
  throw new Error('not written yet');
}
