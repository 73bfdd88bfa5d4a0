// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import { ImageError } from '../errors.ts';
import type { LayerEntry } from '../layers/index.ts';
import { writeTar } from '../layers/write-tar.ts';
import { LAYOUT_FILE } from '../layout/open-store.ts';
import { isManifestType, reachableFrom } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { parseReference } from '../reference.ts';

/** Where containerd and BuildKit write an image's full name. */
export const FULL_NAME = 'io.containerd.image.name';
/** In the index of an archive: which content an entry refers to, where its manifest does not say so itself. */
export const SUBJECT = 'vnd.uk.subject';

/**
 * Images as a tar archive of an OCI image layout, with all that is attached to them, such as signatures. The same images
 * give the same bytes, whenever and wherever. skopeo and podman read it as `oci-archive:`.
 *
 * @param names as the store knows them; of an index that was pulled in part, what is there
 * @throws ImageError `NOT_FOUND`
 * @see image-spec image-layout.md
 */
export async function saveArchive(
  store: ContentStore,
  names: readonly string[],
): Promise<{ chunks: AsyncGenerator<Buffer, void, undefined>; blobs: number; size: number }> {
  const entries: Descriptor[] = [];
  const blobs = new Map<Digest, Descriptor>();
  for (const name of [...new Set(names)].sort()) {
    const root = await store.resolve(name);
    if (root === undefined) throw new ImageError('NOT_FOUND', `the store has no image called ${name}`);
    entries.push(named(root, name));
    await gather(store, root, blobs, entries);
  }
  const sorted = [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: once(entries) });
  const files: LayerEntry[] = [
    // Whoever reads the archive as a stream learns first what is in it.
    file('oci-layout', { bytes: Buffer.from(LAYOUT_FILE) }),
    file('index.json', { bytes: Buffer.from(index) }),
    ...folders(sorted),
  ];
  for (const { digest } of sorted) files.push(file(blobPath(digest), { file: await store.path(digest) }));
  const size = sorted.reduce((sum, blob) => sum + blob.size, 0);
  return { chunks: writeTar(files, 0), blobs: sorted.length, size };
}

/** Everything of an image that the store has, and what is attached to it. */
async function gather(
  store: ContentStore,
  root: Descriptor,
  blobs: Map<Digest, Descriptor>,
  entries: Descriptor[],
): Promise<void> {
  for (const blob of await reachableFrom(store, root, { missing: 'skip' })) {
    const isManifest = isManifestType(blob.mediaType);
    const found = await store.stat(blob.digest);
    if (found === undefined && isManifest) continue;
    if (found !== blob.size) {
      throw new ImageError('NOT_FOUND', `${blob.digest} is not whole in the store`, { hint: 'pull the image again' });
    }
    if (blobs.has(blob.digest)) continue;
    blobs.set(blob.digest, blob);
    for (const referrer of isManifest ? await store.referrers(blob.digest) : []) {
      entries.push({ ...plain(referrer), annotations: { [SUBJECT]: blob.digest } });
      await gather(store, referrer, blobs, entries);
    }
  }
}

function named(root: Descriptor, name: string): Descriptor {
  const { tag } = parseReference(name);
  const annotations = { ...root.annotations, [FULL_NAME]: name, ...(tag ? { [ANNOTATION.refName]: tag } : {}) };
  return { ...root, annotations };
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function once(entries: readonly Descriptor[]): Descriptor[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}

function folders(blobs: readonly Descriptor[]): LayerEntry[] {
  const algorithms = [...new Set(blobs.map(({ digest }) => digestAlgorithm(digest)))].sort();
  return ['blobs', ...algorithms.map((algorithm) => `blobs/${algorithm}`)].map((path) => ({
    ...{ path, type: 'directory', mode: 0o755, uid: 0, gid: 0 },
  }));
}

function file(path: string, source: NonNullable<LayerEntry['source']>): LayerEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, source };
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
