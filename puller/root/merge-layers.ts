// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, ImageError } from '../../image-format/index.ts';
import {
  applyLayer,
  type Directory,
  formatTree,
  impliedDirectory,
  parseIndex,
  parseTree,
} from '../../image-format/root/index.ts';
import type { AssemblyCache } from '../assemble/cache.ts';
import { PullerError } from '../errors.ts';
import { chainId } from './chain-id.ts';
import { INDEX, TREE } from './file-names.ts';

/**
 * What layers give, one over the other. The merged tree of the lowest ones is kept: an image that differs in the layers
 * above starts from there.
 *
 * @param diffIds of the layers, whose archives the cache holds
 * @param shared how many of the lowest layers are kept as one tree
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`
 */
export async function mergeLayers(
  cache: AssemblyCache,
  diffIds: readonly Digest[],
  shared: number,
): Promise<Directory> {
  const { root, merged } = await lowest(cache, diffIds);
  const above = diffIds.slice(merged);
  const texts = await Promise.all(above.map((diffId) => readFile(cache.file('tar', diffId, INDEX), 'utf8')));
  for (const [index, text] of texts.entries()) {
    const number = merged + index;
    unsupported(() => applyLayer(root, parseIndex(text), number));
    if (number + 1 === shared) await keep(cache, diffIds.slice(0, shared), root);
  }
  return root;
}

/** The tree of as many of the lowest layers as the cache has one for. */
async function lowest(cache: AssemblyCache, diffIds: readonly Digest[]): Promise<{ root: Directory; merged: number }> {
  for (let merged = diffIds.length - 1; merged > 0; merged--) {
    const key = chainId(diffIds.slice(0, merged));
    if ((await cache.find('tree', key)) === undefined) continue;
    return { root: parseTree(await readFile(cache.file('tree', key, TREE), 'utf8')), merged };
  }
  return { root: impliedDirectory(), merged: 0 };
}

async function keep(cache: AssemblyCache, diffIds: readonly Digest[], root: Directory): Promise<void> {
  await cache.make('tree', chainId(diffIds), async (folder) => {
    await writeFile(join(folder, TREE), formatTree(root), { flag: 'wx', mode: 0o600 });
    return {};
  });
}

/** A layer that no engine could put over those below it. */
function unsupported(apply: () => void): void {
  try {
    apply();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new PullerError('IMAGE_UNSUPPORTED', error.message, { cause: error });
  }
}
