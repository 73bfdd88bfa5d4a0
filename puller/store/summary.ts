// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION,
  type Descriptor,
  type Digest,
  type Manifest,
  MEDIA_TYPE,
  parseManifestDocument,
} from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';

/** One line of `uk images`. */
export interface ImageSummary {
  name: string;
  digest: Digest;
  /** Empty for a kernel image of its own, or for an image that was not made by uk. */
  profiles: string[];
  /** Bytes of all blobs that the name reaches; undefined where some are not here (another profile's of an index). */
  size: number | undefined;
}

/** All images of a store, in the order of their names. A name whose content is damaged is shown, not skipped. */
export async function summarizeImages(store: ContentStore): Promise<ImageSummary[]> {
  const names = await store.list();
  return Promise.all(
    names.map(async ({ name, descriptor }) => ({
      name,
      digest: descriptor.digest,
      ...(await summarize(store, descriptor)),
    })),
  );
}

async function summarize(store: ContentStore, root: Descriptor): Promise<Pick<ImageSummary, 'profiles' | 'size'>> {
  const seen = new Map<Digest, number>();
  const profiles = new Set<string>();
  let whole = true;
  const visit = async (descriptor: Descriptor): Promise<void> => {
    seen.set(descriptor.digest, descriptor.size);
    if ((await store.stat(descriptor.digest)) === undefined) {
      whole = false;
      return;
    }
    const document = parseManifestDocument(await store.read(descriptor.digest), descriptor.mediaType);
    if (document.kind === 'index') {
      for (const child of document.value.manifests) await visit(child);
      return;
    }
    const profile = document.value.annotations?.[ANNOTATION.profile];
    if (profile !== undefined) profiles.add(profile);
    for (const blob of blobsOf(document.value)) {
      seen.set(blob.digest, blob.size);
      if ((await store.stat(blob.digest)) === undefined) whole = false;
    }
  };
  try {
    await visit(root);
  } catch {
    whole = false;
  }
  const size = [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { profiles: [...profiles], size: whole ? size : undefined };
}

function blobsOf(manifest: Manifest): Descriptor[] {
  return [manifest.config, ...manifest.layers].filter(({ mediaType }) => mediaType !== MEDIA_TYPE.empty);
}
