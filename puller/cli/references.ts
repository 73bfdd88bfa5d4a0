// SPDX-License-Identifier: Apache-2.0
import {
  type Descriptor,
  type Digest,
  familiarReference,
  formatReference,
  ImageError,
  parseReference,
} from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';

/** The one name that a store knows an image by, however the user wrote it. @throws ImageError `REFERENCE_INVALID` */
export function canonicalName(text: string): string {
  return formatReference(parseReference(text));
}

/** A name of the store as users write it. */
export function displayName(name: string): string {
  return familiarReference(parseReference(name));
}

/** A name together with what it stands for now. */
export function pinnedName(name: string, digest: Digest): string {
  return name.includes('@') ? displayName(name) : `${displayName(name)}@${digest}`;
}

/** What a name of the store stands for. @throws ImageError `NOT_FOUND`, `REFERENCE_INVALID` */
export async function resolveLocal(
  store: ContentStore,
  text: string,
): Promise<{ name: string; descriptor: Descriptor }> {
  const reference = parseReference(text);
  const name = formatReference(reference);
  const descriptor = await store.resolve(name);
  if (descriptor !== undefined) return { name, descriptor };
  throw new ImageError('NOT_FOUND', `no image ${familiarReference(reference)} in ${store.root}`, {
    hint: `uk pull ${familiarReference(reference)} fetches it, uk images lists what is there`,
  });
}
