// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import type { ContentStore } from '../layout/store.ts';
import type { AddedPath, BuildOptions, BuiltImage, ExecutionChanges } from './request.ts';

/**
 * A new image from one that the store holds, with another config: only the config layer, the config and the manifest
 * are written.
 *
 * @param from a manifest of an image of ours
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `PATH_CONFLICT`, `SOURCE_INVALID`, `STORE_IO`
 */
export async function rebuildConfig(
  _from: Descriptor,
  _changes: ExecutionChanges & { adds?: readonly AddedPath[] },
  _store: ContentStore,
  _options: BuildOptions = {},
): Promise<BuiltImage> {
  throw new Error('not written yet');
}
