// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { parseManifestDocument } from '../manifest.ts';
import { MANIFEST_MEDIA_TYPES } from '../media-types.ts';
import { notPulled } from '../select-manifest.ts';
import type { ContentStore } from './store.ts';

/** Indexes may hold indexes; no honest one nests deeper. */
const MAX_DEPTH = 8;

/** The largest manifest that registries take (distribution-spec, "Pushing Manifests"). */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_MEDIA_TYPES.includes(mediaType);
}

/** What a manifest or index names directly: its manifests, or its config and layers. */
export function childrenOf(bytes: Uint8Array, mediaType: string): Descriptor[] {
  const document = parseManifestDocument(bytes, mediaType);
  return document.kind === 'index' ? document.value.manifests : [document.value.config, ...document.value.layers];
}

/**
 * Everything that a descriptor reaches, itself last, children before their parents, each digest once.
 *
 * @param options.missing what to do about a manifest that the store does not hold: `throw`, or `skip` what is below it
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`
 */
export async function reachableFrom(
  store: Pick<ContentStore, 'read'>,
  root: Descriptor,
  options: { missing: 'throw' | 'skip' },
): Promise<Descriptor[]> {
  const found = new Map<Digest, Descriptor>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (found.has(descriptor.digest)) return;
    if (depth > MAX_DEPTH) {
      throw new ImageError(
        'MANIFEST_INVALID',
        `${root.digest} has indexes in indexes, more than ${MAX_DEPTH} levels deep`,
      );
    }
    if (isManifestType(descriptor.mediaType)) {
      const bytes = await readOrSkip(store, descriptor, options.missing, depth === 0);
      for (const child of bytes === undefined ? [] : childrenOf(bytes, descriptor.mediaType)) {
        await visit(child, depth + 1);
      }
    }
    found.set(descriptor.digest, descriptor);
  };
  await visit(root, 0);
  return [...found.values()];
}

async function readOrSkip(
  store: Pick<ContentStore, 'read'>,
  descriptor: Descriptor,
  missing: 'throw' | 'skip',
  isRoot: boolean,
): Promise<Buffer | undefined> {
  try {
    return await store.read(descriptor.digest, MANIFEST_LIMIT);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'NOT_FOUND') throw error;
    if (missing === 'skip') return undefined;
    throw isRoot ? error : notPulled(descriptor);
  }
}
