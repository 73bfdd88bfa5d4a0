// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { MEDIA_TYPE } from '../../image-format/index.ts';
import type { TestRegistry } from '../../image-format/remote/testing.ts';

/** Puts an image with layers of these sizes into a registry, under `a/b:1`. Its layers are not archives. */
export function putSample(registry: TestRegistry, sizes: readonly number[], tag = '1') {
  const document = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
  const config = registry.putBlob(JSON.stringify(document), MEDIA_TYPE.config);
  const layers = sizes.map((size) => registry.putBlob(randomBytes(size), MEDIA_TYPE.layer));
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
  const manifest = registry.putManifest(tag, body, MEDIA_TYPE.manifest);
  return { manifest, config, layers };
}
