// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION } from './annotations.ts';
import type { Descriptor } from './descriptor.ts';
import { ImageError } from './errors.ts';
import type { Index } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';

/** BuildKit's mark on manifests that describe how an image was built. They are no images. */
const ATTESTATION = 'vnd.docker.reference.type';

/**
 * Which manifest of an index to take: that of a profile, or else the first for linux on amd64 (an entry that does not
 * say what it is for will do). A plain amd64 comes before one that wants newer processors (`v3`).
 *
 * @param held of a partly pulled index: which of its manifests are there. Without a profile the first of those is taken
 * @throws ImageError `NOT_FOUND` that names what there is
 */
export function selectManifest(index: Index, profile?: string, held?: (descriptor: Descriptor) => boolean): Descriptor {
  const images = index.manifests.filter(
    (descriptor) =>
      (descriptor.mediaType === MEDIA_TYPE.manifest || descriptor.mediaType === MEDIA_TYPE.dockerManifest) &&
      !isAttestation(descriptor),
  );
  const fitting = images.filter(isForUs);
  const usable = [...fitting.filter(isBaseline), ...fitting.filter((descriptor) => !isBaseline(descriptor))];
  const chosen =
    profile === undefined
      ? ((held === undefined ? undefined : usable.find(held)) ?? usable[0])
      : usable.find(({ annotations }) => annotations?.[ANNOTATION.profile] === profile);
  if (chosen !== undefined) return chosen;
  if (profile === undefined) {
    const platforms = images.flatMap((descriptor) => platformOf(descriptor) ?? []);
    const has = platforms.length === 0 ? 'it has no images' : `it has ${[...new Set(platforms)].join(', ')}`;
    throw new ImageError('NOT_FOUND', `the index has no image for linux on amd64: ${has}`);
  }
  const known = usable.flatMap((descriptor) => profileOf(descriptor) ?? []);
  throw new ImageError('NOT_FOUND', `the index has no image for the profile ${profile}`, {
    hint: `it has: ${known.join(', ') || 'none that names a profile'}`,
  });
}

export function isAttestation({ annotations }: Descriptor): boolean {
  return annotations?.[ATTESTATION] !== undefined;
}

/** Whether an entry of an index is for linux on amd64, or does not say what it is for. */
export function isForUs({ platform }: Descriptor): boolean {
  return platform === undefined || (platform.os === 'linux' && platform.architecture === 'amd64');
}

function isBaseline({ platform }: Descriptor): boolean {
  return platform?.variant === undefined || platform.variant === '' || platform.variant === 'v1';
}

/** `linux/arm64/v8`, if an entry of an index says it in a form that may be printed, and it is one (not an attestation). */
function platformOf({ platform }: Descriptor): string | undefined {
  if (platform === undefined || platform.os === 'unknown') return undefined;
  const parts = [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])];
  return parts.every((part) => /^[\w.-]{1,64}$/.test(part)) ? parts.join('/') : undefined;
}

/** Which profile an entry of an index is for, if it says so in a form that may be printed. */
export function profileOf({ annotations }: Descriptor): string | undefined {
  const profile = annotations?.[ANNOTATION.profile];
  return profile !== undefined && /^[\w.-]{1,128}$/.test(profile) ? profile : undefined;
}

/** What an entry of an index is, in words: by its profile, or its platform. */
export function describeEntry(descriptor: Descriptor): string {
  const profile = profileOf(descriptor);
  if (profile !== undefined) return `the image for the profile ${profile}`;
  if (isAttestation(descriptor)) return 'an attestation';
  const platform = platformOf(descriptor);
  return platform === undefined ? 'one of its images' : `the image for ${platform}`;
}

/** What to say where an index is in the store, and one of its manifests is not. */
export function notPulled(descriptor: Descriptor): ImageError {
  const profile = profileOf(descriptor);
  return new ImageError(
    'NOT_FOUND',
    `the store has the index, but ${describeEntry(descriptor)} is missing: ${descriptor.digest}`,
    {
      hint: `pull it from where the index came from: uk pull ${profile === undefined ? '' : `--profile ${profile} `}REF`,
    },
  );
}
