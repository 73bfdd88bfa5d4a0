// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Profile, parseProfile } from '../../hardware-profiles/index.ts';
import { validateImage } from '../../image-format/build/index.ts';
import {
  type Descriptor,
  type Digest,
  type ExecutionConfig,
  layerCompression,
  MEDIA_TYPE,
  VerifiedStream,
} from '../../image-format/index.ts';
import { decompress, type LayerFile, readLayer } from '../../image-format/layers/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { cacheFolder } from '../store/folders.ts';
import { arrangeLayers } from './arrange.ts';
import type { Bootable } from './bootable.ts';
import { AssemblyCache } from './cache.ts';
import { cpioHeader, cpioTrailer, MODE } from './cpio.ts';
import { SEGMENT, type SegmentPath, writeSegment } from './layer-segment.ts';

export interface AssembleEvent {
  phase: 'kernel' | 'layer' | 'image';
  /** The layer's role. */
  layer?: string;
}

export interface AssembleOptions {
  /** Default: `$XDG_CACHE_HOME/uk`. */
  cacheDir?: string | undefined;
  /** Which image of an index. Default: its first. */
  profile?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Told what is being made; an image that was assembled before makes nothing. */
  onProgress?: ((event: AssembleEvent) => void) | undefined;
}

const INITRD = 'initrd';
const VMLINUX = 'vmlinux';
const ROOT_LAYERS = ['deps', 'app', 'config'] as const;

/** Most bytes of `/boot/kernel.json` and `/boot/profile.json`. */
const JSON_MAX = 1024 * 1024;

/** No layer of an image for an initramfs unpacks to more. */
const LAYER_MAX = 8 * 1024 ** 3;

interface KernelData {
  profile: Profile;
  kernelJson: Record<string, unknown>;
}

interface ImageData extends KernelData {
  kernelKey: Digest;
  config: ExecutionConfig;
  initrdSize: number;
}

interface LayerData {
  paths: SegmentPath[];
}

/**
 * Makes an image of the store bootable: its kernel as a file, its other layers as one initramfs. All of it is kept in
 * the cache, per layer and per image, so the next time costs a few looks at files.
 *
 * @param descriptor of the manifest, or of an index
 * @throws PullerError `IMAGE_UNSUPPORTED`, `STORE_IO`; ImageError for an image that is damaged or none of ours
 */
export async function assemble(
  store: ContentStore,
  descriptor: Descriptor,
  options: AssembleOptions = {},
): Promise<Bootable> {
  const cache = new AssemblyCache(options.cacheDir ?? cacheFolder());
  if (descriptor.mediaType === MEDIA_TYPE.manifest) {
    const known = await findBootable(cache, descriptor.digest);
    if (known !== undefined) return known;
  }
  return new Assembly(store, cache, options).run(descriptor);
}

async function findBootable(cache: AssemblyCache, image: Digest): Promise<Bootable | undefined> {
  const data = await cache.find<ImageData>('image', image);
  if (data === undefined || (await cache.find('kernel', data.kernelKey)) === undefined) return undefined;
  const { kernelKey, config, initrdSize, profile, kernelJson } = data;
  return {
    image,
    kernel: cache.file('kernel', kernelKey, VMLINUX),
    initrd: cache.file('image', image, INITRD),
    initrdSize,
    config,
    profile,
    kernelJson,
  };
}

interface LayerSource {
  role: string;
  descriptor: Descriptor;
  diffId: Digest;
}

class Assembly {
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
    const kernel = { role: 'kernel', ...image.layers.kernel };
    const { profile, kernelJson } = await this.#kernel(kernel);
    if (profile.root !== 'initramfs') {
      throw new PullerError(
        'IMAGE_UNSUPPORTED',
        `the image wants its root as ${profile.root}, which this node cannot give`,
      );
    }
    const layers: { layer: LayerSource; paths: SegmentPath[] }[] = [];
    for (const role of ROOT_LAYERS) {
      const layer = { role, ...image.layers[role] };
      layers.push({ layer, paths: await this.#layer(layer) });
    }
    const folders = arrangeLayers(layers.map(({ layer, paths }) => ({ role: layer.role, paths })));
    this.#options.onProgress?.({ phase: 'image' });
    const config = image.config.config ?? {};
    await this.#cache.make<ImageData>('image', digest, async (folder) => {
      const segments = layers.flatMap(({ layer }, index) => [
        folderSegment(folders[index] ?? []),
        this.#cache.file('layer', layerKey(layer), SEGMENT),
      ]);
      const initrdSize = await concatenate(join(folder, INITRD), segments, this.#options.signal);
      return { kernelKey: layerKey(kernel), config, profile, kernelJson, initrdSize };
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

  async #layer(layer: LayerSource): Promise<SegmentPath[]> {
    const key = layerKey(layer);
    const known = await this.#cache.find<LayerData>('layer', key);
    if (known !== undefined) return known.paths;
    this.#options.onProgress?.({ phase: 'layer', layer: layer.role });
    const { paths } = await this.#cache.make('layer', key, async (folder) => ({
      paths: await writeSegment(folder, layer.role, this.#entries(layer)),
    }));
    return paths;
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

async function extractKernel(folder: string, entries: AsyncIterable<LayerFile>): Promise<KernelData> {
  const texts = new Map<string, Buffer>();
  let found = false;
  for await (const { path, type, size, content } of entries) {
    if (type !== 'file') continue;
    if (path === 'boot/vmlinux') {
      await pipeline(content, createWriteStream(join(folder, VMLINUX), { flags: 'wx', mode: 0o600 }));
      found = true;
    } else if (path === 'boot/kernel.json' || path === 'boot/profile.json') {
      if (size > JSON_MAX) throw notAKernel(`its /${path} is larger than ${JSON_MAX} bytes`);
      texts.set(path, await collect(content));
    }
  }
  const [kernelText, profileText] = [texts.get('boot/kernel.json'), texts.get('boot/profile.json')];
  if (!found || kernelText === undefined || profileText === undefined) {
    throw notAKernel('it lacks /boot/vmlinux, /boot/kernel.json or /boot/profile.json');
  }
  return {
    kernelJson: parseKernelJson(kernelText),
    profile: parseProfile(profileText, "the image's /boot/profile.json"),
  };
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseKernelJson(bytes: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch (cause) {
    throw notAKernel('its /boot/kernel.json is not JSON', cause);
  }
  throw notAKernel('its /boot/kernel.json is no object');
}

function notAKernel(why: string, cause?: unknown): PullerError {
  return new PullerError('IMAGE_UNSUPPORTED', `the kernel layer cannot be used: ${why}`, { cause });
}

/** A small archive of folders that no layer makes. */
function folderSegment(folders: readonly string[]): Buffer {
  if (folders.length === 0) return Buffer.alloc(0);
  const headers = folders.map((path, index) =>
    cpioHeader({ path, mode: MODE.directory | 0o755, uid: 0, gid: 0, mtime: 0, size: 0, inode: index + 1, links: 1 }),
  );
  return Buffer.concat([...headers, cpioTrailer()]);
}

/** @returns bytes written */
async function concatenate(path: string, parts: readonly (string | Buffer)[], signal?: AbortSignal): Promise<number> {
  const sink = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 1024 * 1024 });
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const part of parts) {
      if (typeof part !== 'string') yield part;
      else yield* createReadStream(part, { highWaterMark: 1024 * 1024 });
    }
  }
  await pipeline(bytes, sink, { signal });
  return sink.bytesWritten;
}
