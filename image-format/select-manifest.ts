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
 * @param held of a partly pulled index: which of its manifests are there. Without a profile the first of those is taken
 * @throws ImageError `NOT_FOUND` that names what there is
 */
export function selectManifest(index: Index, profile?: string, held?: (descriptor: Descriptor) => boolean): Descriptor {
  const usable = index.manifests.filter(
    ({ mediaType, platform }) =>
      (mediaType === MEDIA_TYPE.manifest || mediaType === MEDIA_TYPE.dockerManifest) &&
      (platform === undefined || (platform.os === 'linux' && platform.architecture === 'amd64')),
  );
  const chosen =
    profile === undefined
      ? ((held === undefined ? undefined : usable.find(held)) ?? usable[0])
      : usable.find(({ annotations }) => annotations?.[ANNOTATION.profile] === profile);
  if (chosen !== undefined) return chosen;
  if (profile === undefined) throw new ImageError('NOT_FOUND', 'the index has no image for linux on amd64');
  const known = usable.flatMap((descriptor) => profileOf(descriptor) ?? []);
  throw new ImageError('NOT_FOUND', `the index has no image for the profile ${profile}`, {
    hint: `it has: ${known.join(', ') || 'none that names a profile'}`,
  });
}

/** Which profile an entry of an index is for, if it says so in a form that may be printed. */
export function profileOf({ annotations }: Descriptor): string | undefined {
  const profile = annotations?.[ANNOTATION.profile];
  return profile !== undefined && /^[\w.-]{1,128}$/.test(profile) ? profile : undefined;
}

/** What to say where an index is in the store, and one of its manifests is not. */
export function notPulled(descriptor: Descriptor): ImageError {
  const profile = profileOf(descriptor);
  const which = profile === undefined ? 'one of the index' : `the image for the profile ${profile}`;
  return new ImageError('NOT_FOUND', `the store does not have ${which}: ${descriptor.digest}`, {
    hint: `pull it from where the index came from: uk pull ${profile === undefined ? '' : `--profile ${profile} `}REF`,
  });
}
