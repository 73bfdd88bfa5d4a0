// SPDX-License-Identifier: Apache-2.0
import type { ContentStore } from '../layout/store.ts';
import type { BuildOptions, BuildRequest, BuiltImage } from './request.ts';

/**
 * Makes an image of an application of this machine: its layers, config and manifest are in the store afterwards. The
 * caller gives it a name.
 *
 * @throws ImageError `ELF_INVALID`, `LIBRARY_MISSING`, `SOURCE_INVALID`, `PATH_CONFLICT`, `STORE_IO`
 */
export async function buildImage(
  _request: BuildRequest,
  _store: ContentStore,
  _options: BuildOptions = {},
): Promise<BuiltImage> {
  throw new Error('not written yet');
}
