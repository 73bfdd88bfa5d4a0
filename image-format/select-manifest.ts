// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION } from './annotations.ts';
import type { Descriptor } from './descriptor.ts';
import { ImageError } from './errors.ts';
import type { Index } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';

/**
 * Which manifest of an index to take: that of a profile, or else the first for linux on amd64 (an entry that does not
 * say what it is for will do).
 *
 * @throws ImageError `NOT_FOUND` that names what there is
 */
export function selectManifest(index: Index, profile?: string): Descriptor {
  const usable = index.manifests.filter(
    ({ mediaType, platform }) =>
      (mediaType === MEDIA_TYPE.manifest || mediaType === MEDIA_TYPE.dockerManifest) &&
      (platform === undefined || (platform.os === 'linux' && platform.architecture === 'amd64')),
  );
  const chosen =
    profile === undefined ? usable[0] : usable.find(({ annotations }) => annotations?.[ANNOTATION.profile] === profile);
  if (chosen !== undefined) return chosen;
  if (profile === undefined) throw new ImageError('NOT_FOUND', 'the index has no image for linux on amd64');
  const known = usable.flatMap(({ annotations }) => annotations?.[ANNOTATION.profile] ?? []);
  throw new ImageError('NOT_FOUND', `the index has no image for the profile ${profile}`, {
    hint: `it has: ${known.join(', ') || 'none that names a profile'}`,
  });
}
