// SPDX-License-Identifier: Apache-2.0
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../image-format/index.ts';
import type { AssemblyCache } from '../assemble/cache.ts';
import { chainId } from './chain-id.ts';
import { DISK, TAR } from './file-names.ts';
import { type Extent, vmdkDescriptor } from './vmdk.ts';

const METADATA = 'metadata';

/** What the cache keeps of a layer beside its files. */
export interface TarData {
  /** Bytes of the archive's file, a multiple of 512. */
  size: number;
}

/** A layer of a root. */
export interface RootLayer {
  diffId: Digest;
  /** Unpacks the layer into a folder, see `unpackLayer`; called where the cache does not hold it. */
  unpack(folder: string): Promise<number>;
}

/** Told before a layer is unpacked (`layer`), and before the metadata are made (`image`). */
type OnProgress = (phase: 'layer' | 'image', layer?: number) => void;

export interface RootDiskOptions {
  /**
   * How many of the lowest layers other images are likely to have too: what these give together is kept, so that such
   * an image only needs the layers above. Default: all but the last.
   */
  shared?: number;
  onProgress?: OnProgress;
}

/**
 * Makes the disk that a guest gets its root from: the metadata of a file system for all layers together, and the
 * layers' archives as they are. Only the metadata are made for each image; an archive is kept once for all of them.
 *
 * @returns the key of the cache's entry, of kind `root`
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; what `unpack` throws
 */
export async function makeRootDisk(
  cache: AssemblyCache,
  layers: readonly RootLayer[],
  { shared = layers.length - 1, onProgress = () => {} }: RootDiskOptions = {},
): Promise<Digest> {
  const key = chainId(layers.map(({ diffId }) => diffId));
  if ((await cache.find('root', key)) !== undefined) return key;
  const sizes: number[] = [];
  for (const [number, { diffId, unpack }] of layers.entries()) {
    const known = await cache.find<TarData>('tar', diffId);
    if (known === undefined) onProgress('layer', number);
    const made = known ?? (await cache.make('tar', diffId, async (folder) => ({ size: await unpack(folder) })));
    sizes.push(made.size);
  }
  onProgress('image');
  const diffIds = layers.map(({ diffId }) => diffId);
  await cache.make('root', key, (folder) => writeRoot(folder, cache, diffIds, sizes, shared));
  return key;
}

async function writeRoot(
  folder: string,
  cache: AssemblyCache,
  diffIds: readonly Digest[],
  sizes: readonly number[],
  shared: number,
): Promise<object> {
  // What only a new root needs is loaded only then.
  const [{ mergeLayers }, { writeMetadata }] = await Promise.all([
    import('./merge-layers.ts'),
    import('./erofs/write-metadata.ts'),
  ]);
  const root = await mergeLayers(cache, diffIds, shared);
  const metadata = writeMetadata(root, sizes);
  await writeFile(join(folder, METADATA), metadata, { flag: 'wx', mode: 0o600 });
  const extents: Extent[] = [{ name: METADATA, size: metadata.length }];
  for (const [number, diffId] of diffIds.entries()) {
    const name = `${number}.tar`;
    await symlink(cache.link('tar', diffId, TAR), join(folder, name));
    extents.push({ name, size: sizes[number] ?? 0 });
  }
  await writeFile(join(folder, DISK), vmdkDescriptor(extents), { flag: 'wx', mode: 0o600 });
  return {};
}
