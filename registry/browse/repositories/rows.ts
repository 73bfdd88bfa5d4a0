// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../image/facts.ts';
import type { TagRow } from '../types/repository.ts';

/** What all rows of manifests show. */
export function factsOfRow(
  facts: Facts,
  attached: { signed: boolean; referrers: number },
): Omit<TagRow, 'tag' | 'pushed'> {
  const { digest, kind, mediaType, artifactType, size, created, platforms, platformCount, profiles, variant } = facts;
  return {
    digest,
    kind,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(size === undefined ? {} : { size }),
    ...(created === undefined ? {} : { created }),
    platforms,
    platformCount,
    profiles,
    ...(variant === undefined ? {} : { variant }),
    ...attached,
  };
}
