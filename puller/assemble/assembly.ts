// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { validateImage } from '../../image-format/build/index.ts';
import { type Descriptor, type Digest, layerCompression, VerifiedStream } from '../../image-format/index.ts';
import { decompress, type LayerFile, readLayer } from '../../image-format/layers/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { arrangeLayers } from './arrange.ts';
import type { Bootable } from './bootable.ts';
import type { AssemblyCache } from './cache.ts';
import { findBootable, type ImageData } from './find-bootable.ts';
import { concatenate, folderSegment, INITRD } from './initrd.ts';
import { extractKernel, type KernelData } from './kernel-files.ts';
import { SEGMENT, type SegmentContent, writeSegment } from './layer-segment.ts';
import type { AssembleOptions } from './options.ts';
import { unpackedSize } from './unpacked-size.ts';

/** No layer of an image for an initramfs unpacks to more. */
const LAYER_MAX = 8 * 1024 ** 3;

interface LayerSource {
  role: string;
  descriptor: Descriptor;
  diffId: Digest;
}

/** Making what the cache does not hold: one image, once. */
export class Assembly {
  readonly #store: ContentStore;
  readonly #cache: AssemblyCache;
  readonly #options: AssembleOptions;

  constructor(store: ContentStore, cache: AssemblyCache, options: AssembleOptions) {
    this.#store = store;
    this.#cache = cache;
    this.#options = options;
  }

  async run(named: Descriptor): Promise<Bootable> {
    const { profile: wanted } = this.#options;
    const image = await validateImage(this.#store, named, wanted === undefined ? {} : { profile: wanted });
    const { digest } = image.descriptor;
    const known = await findBootable(this.#cache, digest);
    if (known !== undefined) return known;

    await this.#cache.sweep();
    const [kernel, ...rootLayers] = image.layers;
    if (kernel === undefined) throw new PullerError('IMAGE_UNSUPPORTED', `${digest} has no layers`);
    const { profile, kernelJson, hz } = await this.#kernel(kernel);
    if (profile.root !== 'initramfs') {
      throw new PullerError(
        'IMAGE_UNSUPPORTED',
        `the image wants its root as ${profile.root}, which this node cannot give`,
      );
    }
    const layers: (SegmentContent & { layer: LayerSource })[] = [];
    for (const layer of rootLayers) layers.push({ layer, ...(await this.#layer(layer)) });
    const folders = arrangeLayers(layers.map(({ layer, paths }) => ({ role: layer.role, paths })));
    this.#options.onProgress?.({ phase: 'image' });
    const config = image.config.config ?? {};
    await this.#cache.make<ImageData>('image', digest, async (folder) => {
      const segments = layers.flatMap(({ layer }, index) => [
        folderSegment(folders[index] ?? []),
        this.#cache.file('layer', layerKey(layer), SEGMENT),
      ]);
      const initrdSize = await concatenate(join(folder, INITRD), segments, this.#options.signal);
      const unpacked = layers.reduce((sum, layer) => sum + layer.unpackedSize, 0);
      return {
        kernelKey: layerKey(kernel),
        config,
        profile,
        kernelJson,
        hz,
        initrdSize,
        unpackedSize: unpacked + folders.flat().length * unpackedSize('directory', 0),
      };
    });
    const made = await findBootable(this.#cache, digest);
    if (made !== undefined) return made;
    throw new PullerError('STORE_IO', 'the assembled image vanished from the cache: something removes it');
  }

  async #kernel(layer: LayerSource): Promise<KernelData> {
    const key = layerKey(layer);
    const known = await this.#cache.find<KernelData>('kernel', key);
    if (known !== undefined) return known;
    this.#options.onProgress?.({ phase: 'kernel', layer: layer.role });
    return this.#cache.make('kernel', key, (folder) => extractKernel(folder, this.#entries(layer)));
  }

  async #layer(layer: LayerSource): Promise<SegmentContent> {
    const key = layerKey(layer);
    const known = await this.#cache.find<SegmentContent>('layer', key);
    if (known !== undefined) return known;
    this.#options.onProgress?.({ phase: 'layer', layer: layer.role });
    return this.#cache.make('layer', key, (folder) => writeSegment(folder, layer.role, this.#entries(layer)));
  }

  /** The blob was verified when the store took it; what it unpacks to is verified here. */
  async *#entries({ descriptor, diffId, role }: LayerSource): AsyncGenerator<LayerFile> {
    const compression = layerCompression(descriptor.mediaType);
    if (compression === undefined) {
      throw new PullerError('IMAGE_UNSUPPORTED', `the ${role} layer is ${descriptor.mediaType}, which is no layer`);
    }
    const unpacked = Readable.from(decompress(this.#store.stream(descriptor.digest), compression, LAYER_MAX), {
      objectMode: false,
      highWaterMark: 1024 * 1024,
    });
    const verified = new VerifiedStream({ digest: diffId });
    const flow = pipeline(unpacked, verified, { signal: this.#options.signal });
    // The loop below throws the same.
    flow.catch(() => {});
    yield* readLayer(verified, { compression: 'none', limit: LAYER_MAX });
    await flow;
  }
}

/** A layer's blob may be compressed in several ways; what it unpacks to is what counts. */
function layerKey({ diffId }: LayerSource): Digest {
  return diffId;
}
