// SPDX-License-Identifier: Apache-2.0
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, ImageError } from '../../image-format/index.ts';
import type { AssemblyCache } from '../assemble/cache.ts';
import { PullerError } from '../errors.ts';
import { chainId } from './chain-id.ts';
import { DISK, INDEX, TAR } from './file-names.ts';
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

/**
 * Makes the disk that a guest gets its root from: the metadata of a file system for all layers together, and the
 * layers' archives as they are. Only the metadata are made for each image; an archive is kept once for all of them.
 *
 * @param onProgress told before a layer is unpacked (`layer`), and before the metadata are made (`image`)
 * @returns the key of the cache's entry, of kind `root`
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; what `unpack` throws
 */
export async function makeRootDisk(
  cache: AssemblyCache,
  layers: readonly RootLayer[],
  onProgress: (phase: 'layer' | 'image', layer?: number) => void = () => {},
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
  await cache.make('root', key, (folder) => writeRoot(folder, cache, layers, sizes));
  return key;
}

async function writeRoot(
  folder: string,
  cache: AssemblyCache,
  layers: readonly RootLayer[],
  sizes: readonly number[],
): Promise<object> {
  // What only a new root needs is loaded only then.
  const [texts, { applyLayer, impliedDirectory, parseIndex }, { writeMetadata }] = await Promise.all([
    Promise.all(layers.map(({ diffId }) => readFile(cache.file('tar', diffId, INDEX), 'utf8'))),
    import('../../image-format/root/index.ts'),
    import('./erofs/write-metadata.ts'),
  ]);
  const root = impliedDirectory();
  const extents: Extent[] = [];
  for (const [number, { diffId }] of layers.entries()) {
    const entries = parseIndex(texts[number] ?? '[]');
    unsupported(() => applyLayer(root, entries, number));
    const name = `${number}.tar`;
    await symlink(cache.link('tar', diffId, TAR), join(folder, name));
    extents.push({ name, size: sizes[number] ?? 0 });
  }
  const metadata = writeMetadata(root, sizes);
  await writeFile(join(folder, METADATA), metadata, { flag: 'wx', mode: 0o600 });
  const descriptor = vmdkDescriptor([{ name: METADATA, size: metadata.length }, ...extents]);
  await writeFile(join(folder, DISK), descriptor, { flag: 'wx', mode: 0o600 });
  return {};
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
