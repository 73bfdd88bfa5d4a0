// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Digest } from '../../image-format/index.ts';
import type { LayerFile } from '../../image-format/layers/index.ts';
import { arrangeLayers } from './arrange.ts';
import type { AssemblyCache } from './cache.ts';
import type { ImageData } from './find-bootable.ts';
import { concatenate, folderSegment, INITRD } from './initrd.ts';
import { SEGMENT, type SegmentContent, writeSegment } from './layer-segment.ts';
import type { AssembleOptions } from './options.ts';
import { unpackedSize } from './unpacked-size.ts';

export interface InitramfsLayer {
  role: string;
  diffId: Digest;
  /** What is in it, called where the cache does not hold it as an archive. */
  entries(): AsyncIterable<LayerFile>;
}

/**
 * Makes an initramfs of layers: each becomes an archive once, in the cache, and the initramfs is one behind the other.
 *
 * @param folder to put {@link INITRD} into
 * @throws PullerError `IMAGE_UNSUPPORTED`; what `entries` throws
 */
export async function makeInitramfs(
  folder: string,
  cache: AssemblyCache,
  layers: readonly InitramfsLayer[],
  onProgress: AssembleOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<ImageData['root']> {
  const contents: SegmentContent[] = [];
  for (const layer of layers) contents.push(await contentOf(layer, cache, onProgress));
  const folders = arrangeLayers(contents.map(({ paths }, index) => ({ role: layers[index]?.role ?? '', paths })));
  onProgress?.({ phase: 'image' });
  const segments = layers.flatMap(({ diffId }, index) => [
    folderSegment(folders[index] ?? []),
    cache.file('layer', diffId, SEGMENT),
  ]);
  const initrdSize = await concatenate(join(folder, INITRD), segments, signal);
  const unpacked = contents.reduce((sum, content) => sum + content.unpackedSize, 0);
  return {
    kind: 'initramfs',
    initrdSize,
    unpackedSize: unpacked + folders.flat().length * unpackedSize('directory', 0),
  };
}

async function contentOf(
  { role, diffId, entries }: InitramfsLayer,
  cache: AssemblyCache,
  onProgress: AssembleOptions['onProgress'],
): Promise<SegmentContent> {
  const known = await cache.find<SegmentContent>('layer', diffId);
  if (known !== undefined) return known;
  onProgress?.({ phase: 'layer', layer: role });
  return cache.make('layer', diffId, (folder) => writeSegment(folder, role, entries()));
}
