// SPDX-License-Identifier: Apache-2.0
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor.ts';
import { DIGEST_ALGORITHMS, type Digest, isDigest } from '../digest.ts';
import { isMissing, storeError } from './durable.ts';
import type { IngestFolder } from './ingest.ts';
import { isManifestType, reachableFrom } from './reach.ts';
import type { ContentStore } from './store.ts';

export interface Collected {
  digest: Digest;
  size: number;
}

/**
 * Removes blobs that no name reaches and that nobody wrote or asked for since `before`. Who relies on a blob that is
 * already there renews its time (`ContentStore.write`), so a blob is first taken out of the way, and put back if it was
 * renewed in between.
 *
 * @param before milliseconds since 1970
 * @param keep what is used without having a name
 */
export async function collectBlobs(
  store: ContentStore,
  ingest: IngestFolder,
  before: number,
  dryRun: boolean,
  keep: () => Promise<readonly Descriptor[]> = async () => [],
): Promise<Collected[]> {
  const candidates = await unreached(store, await oldBlobs(store.root, before), keep);
  // A name may have been given while the first look went on: look again at what would go.
  const condemned = candidates.length === 0 ? [] : await unreached(store, candidates, keep);
  if (dryRun) return condemned.map(({ digest, size }) => ({ digest, size }));
  const removed: Collected[] = [];
  for (const { digest, size, path } of condemned) {
    if (await removeUnlessRenewed(path, ingest.newPath(), before)) removed.push({ digest, size });
  }
  return removed;
}

interface OldBlob extends Collected {
  path: string;
}

async function unreached(
  store: ContentStore,
  blobs: OldBlob[],
  keep: () => Promise<readonly Descriptor[]>,
): Promise<OldBlob[]> {
  const reached = new Set<Digest>();
  const named = (await store.list()).map(({ descriptor }) => descriptor);
  const roots = [...named, ...(await keep())];
  for (let root = roots.pop(); root !== undefined; root = roots.pop()) {
    for (const { digest, mediaType } of await reachableFrom(store, root, { missing: 'skip' })) {
      // What refers to it, such as a signature, stays with it.
      if (!reached.has(digest) && isManifestType(mediaType)) roots.push(...(await store.referrers(digest)));
      reached.add(digest);
    }
  }
  return blobs.filter(({ digest }) => !reached.has(digest));
}

async function oldBlobs(root: string, before: number): Promise<OldBlob[]> {
  const blobs: OldBlob[] = [];
  for (const algorithm of DIGEST_ALGORITHMS) {
    const folder = join(root, 'blobs', algorithm);
    for (const hex of await readdir(folder).catch(() => [])) {
      const digest = `${algorithm}:${hex}`;
      const path = join(folder, hex);
      const info = await stat(path).catch(() => undefined);
      if (isDigest(digest) && info?.isFile() && info.mtimeMs < before) blobs.push({ digest, size: info.size, path });
    }
  }
  return blobs;
}

async function removeUnlessRenewed(path: string, aside: string, before: number): Promise<boolean> {
  try {
    await rename(path, aside);
    if ((await stat(aside)).mtimeMs < before) {
      await rm(aside);
      return true;
    }
    await rename(aside, path);
    return false;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw storeError(cause, `removing ${path}`);
  }
}
