// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, isDigest, parseImageConfig, parseManifestDocument } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { chainId } from '../root/chain-id.ts';
import { cacheFolder } from '../store/folders.ts';
import { AssemblyCache, type EntryKind } from './cache.ts';

/**
 * Removes from the cache what was made of images that the store no longer holds. A guest that runs keeps its files: a
 * monitor opens them as it starts. The cache may serve several stores, and another one's image may be about to
 * start: what was made or used within the last hour stays. What another one wants later is made again.
 *
 * @param options.now milliseconds since 1970
 * @param options.keep images that are used without having a name
 * @returns how many entries were removed
 */
export async function trimAssemblies(
  store: ContentStore,
  options: { cacheDir?: string; now?: number; keep?: readonly Descriptor[] } = {},
): Promise<number> {
  const cache = new AssemblyCache(options.cacheDir ?? cacheFolder());
  await cache.sweep();
  const wanted = await reachable(store, options.keep ?? []);
  let removed = 0;
  // A root's disk is made of archives, so it goes first.
  for (const kind of ['image', 'root', 'tree', 'tar', 'layer', 'kernel'] satisfies EntryKind[]) {
    for (const key of await cache.keys(kind)) {
      if (wanted.has(key.replace('-', ':'))) continue;
      if (await cache.removeUnused(kind, key, options.now)) removed++;
    }
  }
  return removed;
}

/**
 * The keys of all that names of the store reach: digests of manifests, diff_ids of layers, and the names of stacks of
 * the lowest layers, with and without the first one, which is the kernel's in an image of ours.
 */
async function reachable(store: ContentStore, keep: readonly Descriptor[]): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (digest: string, mediaType: string): Promise<void> => {
    if (found.has(digest) || !isDigest(digest)) return;
    found.add(digest);
    const document = parseManifestDocument(await store.read(digest), mediaType);
    if (document.kind === 'index') {
      for (const child of document.value.manifests) {
        if ((await store.stat(child.digest)) !== undefined) await visit(child.digest, child.mediaType);
      }
      return;
    }
    const { config } = document.value;
    const { diff_ids: diffIds } = parseImageConfig(await store.read(config.digest)).rootfs;
    for (const layers of [diffIds, diffIds.slice(1)]) {
      for (let count = layers.length; count > 0; count--) found.add(chainId(layers.slice(0, count)));
    }
    for (const diffId of diffIds) found.add(diffId);
  };
  const named = (await store.list()).map(({ descriptor }) => descriptor);
  for (const descriptor of [...named, ...keep]) {
    // What cannot be read keeps nothing alive.
    await visit(descriptor.digest, descriptor.mediaType).catch(() => {});
  }
  return found;
}
