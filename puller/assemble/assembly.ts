// SPDX-License-Identifier: Apache-2.0
import {
  containerImageOf,
  isOurs,
  type ReadImage,
  type RoledLayer,
  readImage,
  unikernelOf,
} from '../../image-format/build/manifest/index.ts';
import { type Descriptor, LABEL } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import type { Bootable, ReadyKernel } from './bootable.ts';
import type { AssemblyCache } from './cache.ts';
import { findBootable, type ImageData } from './find-bootable.ts';
import { type InitramfsLayer, makeInitramfs } from './initramfs-root.ts';
import { compressionOf, layerEntries } from './layer-entries.ts';
import type { AssembleOptions } from './options.ts';
import { readyKernel } from './ready-kernel.ts';

type Options = AssembleOptions & { kernel: () => Promise<ReadyKernel> };

/** Making what the cache does not hold: one image, once. */
export class Assembly {
  readonly #store: ContentStore;
  readonly #cache: AssemblyCache;
  readonly #options: Options;

  constructor(store: ContentStore, cache: AssemblyCache, options: Options) {
    this.#store = store;
    this.#cache = cache;
    this.#options = options;
  }

  async run(named: Descriptor): Promise<Bootable> {
    const image = await readImage(this.#store, named, this.#options.profile);
    const { digest } = image.descriptor;
    const known = await findBootable(this.#cache, digest, this.#options.kernel);
    if (known !== undefined) return known;
    await this.#cache.sweep();
    if (isOurs(image)) await this.#unikernel(image);
    else await this.#container(image);
    const made = await findBootable(this.#cache, digest, this.#options.kernel);
    if (made !== undefined) return made;
    throw new PullerError('STORE_IO', 'the assembled image vanished from the cache: something removes it');
  }

  async #unikernel(read: ReadImage): Promise<void> {
    const image = await unikernelOf(this.#store, read);
    const { descriptor } = image;
    const [kernelLayer, ...layers] = image.layers;
    if (kernelLayer === undefined) throw new PullerError('IMAGE_UNSUPPORTED', `${descriptor.digest} has no layers`);
    const kernel = await readyKernel(this.#store, this.#cache, kernelLayer, this.#options);
    const config = image.config.config ?? {};
    const kernelKey = kernelLayer.diffId;
    if (rootOf(image.stacked, config.Labels?.[LABEL.root], kernel) === 'erofs') {
      await this.#withDisk(image, layers, { kernelKey, config });
      return;
    }
    const initramfsLayers: InitramfsLayer[] = layers.map((layer) => ({
      ...layer,
      entries: () => layerEntries(this.#store, layer, this.#options.signal),
    }));
    await this.#cache.make<ImageData>('image', descriptor.digest, async (folder) => {
      const { onProgress, signal } = this.#options;
      return { kernelKey, config, root: await makeInitramfs(folder, this.#cache, initramfsLayers, onProgress, signal) };
    });
  }

  async #container(image: ReadImage): Promise<void> {
    const { layers } = containerImageOf(image);
    const kernel = await this.#options.kernel();
    if (!kernel.filesystems.includes('erofs')) throw noBlockRoot('this kernel');
    await this.#withDisk(image, layers, { config: image.config.config ?? {} });
  }

  async #withDisk(
    { descriptor }: ReadImage,
    layers: readonly RoledLayer[],
    data: Omit<ImageData, 'root'>,
  ): Promise<void> {
    const { makeRootDisk } = await import('../root/root-disk.ts');
    const { unpackLayer } = await import('../root/unpack-layer.ts');
    const { onProgress, signal } = this.#options;
    const stack = layers.map((layer, index) => ({
      diffId: layer.diffId,
      unpack: (folder: string) => {
        const where = { phase: 'layer' as const, layer: layer.role, number: index + 1, of: layers.length };
        onProgress?.({ ...where, done: 0 });
        return unpackLayer(folder, {
          blob: this.#store.stream(layer.descriptor.digest),
          compression: compressionOf(layer),
          diffId: layer.diffId,
          signal,
          onProgress: (done) => onProgress?.({ ...where, done }),
        });
      },
    }));
    const application = layers.findIndex(({ role }) => role === 'app');
    const key = await makeRootDisk(this.#cache, stack, {
      // What is below the application is there again when the application changes.
      ...(application > 0 ? { shared: application } : {}),
      onProgress: (phase) => {
        // Each layer says more of itself as it is unpacked.
        if (phase === 'image') onProgress?.({ phase });
      },
    });
    await this.#cache.make<ImageData>('image', descriptor.digest, async () => ({
      ...data,
      root: { kind: 'erofs', key },
    }));
  }
}

/**
 * Which root an image of ours gets: what it asks for, else an initramfs, which is what is small; but layers that may
 * replace each other's files go to a disk wherever the kernel can have its root there.
 *
 * @param wanted the image's label
 */
function rootOf(
  stacked: boolean,
  wanted: string | undefined,
  { profile, filesystems }: ReadyKernel,
): 'initramfs' | 'erofs' {
  const blockRoot = filesystems.includes('erofs');
  const root = wanted ?? (profile.root === 'initramfs' && stacked && blockRoot ? 'erofs' : profile.root);
  if (root === 'initramfs') return root;
  if (root !== 'erofs') {
    throw new PullerError(
      'IMAGE_UNSUPPORTED',
      `the image wants its root as ${root.slice(0, 40)}, which this node cannot give`,
    );
  }
  if (!blockRoot) throw noBlockRoot("the image's kernel");
  return root;
}

function noBlockRoot(whose: string): PullerError {
  return new PullerError(
    'IMAGE_UNSUPPORTED',
    `${whose} cannot have its root on a disk: it lacks EROFS, overlayfs or virtio-blk`,
    {
      hint: 'use one of the preset general: uk kernel build --preset general',
    },
  );
}
