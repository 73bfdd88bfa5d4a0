// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import type { Digest } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { Index } from '../../manifest.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import { readRoledImage } from './validate-image.ts';
import { writeJson } from './write-manifest.ts';

/**
 * One index over images for several profiles; the first is the default.
 *
 * @param manifests of images of ours that the store holds
 * @returns the index's descriptor
 * @throws ImageError `MANIFEST_INVALID` (two for one profile), `NOT_FOUND`, `STORE_IO`
 */
export async function buildIndex(manifests: readonly Descriptor[], store: ContentStore): Promise<Descriptor> {
  const byProfile = new Map<string, Digest>();
  const entries: Descriptor[] = [];
  for (const descriptor of manifests) {
    const { profile } = await readRoledImage(store, descriptor, {});
    const other = byProfile.get(profile);
    if (other !== undefined) {
      throw new ImageError('MANIFEST_INVALID', `two images for the profile ${profile}: ${other}, ${descriptor.digest}`);
    }
    byProfile.set(profile, descriptor.digest);
    entries.push({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      annotations: { [ANNOTATION.profile]: profile },
      platform: { architecture: 'amd64', os: 'linux' },
    });
  }
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: entries };
  return await writeJson(store, MEDIA_TYPE.index, index);
}
