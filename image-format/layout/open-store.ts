// SPDX-License-Identifier: Apache-2.0
import type { ContentStore } from './store.ts';

/**
 * Opens the content store in a folder, which is made where it does not exist.
 *
 * @throws ImageError `STORE_IO`, `LAYOUT_INVALID` (the folder is something else)
 */
export async function openContentStore(_root: string): Promise<ContentStore> {
  throw new Error('not written yet');
}
