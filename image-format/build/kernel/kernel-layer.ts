// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { formatProfile, type Profile } from '../../../hardware-profiles/index.ts';
import { isDigest } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import { type LayerEntry, type WriteLayerOptions, writeLayer } from '../../layers/index.ts';
import type { ContentStore } from '../../layout/store.ts';
import { layerMediaType } from '../../media-types.ts';
import { KERNEL_PATH } from '../manifest/urunc.ts';
import type { KernelFiles, Layer } from '../request.ts';

export const PROFILE_PATH = 'boot/profile.json';
export const KERNEL_JSON_PATH = 'boot/kernel.json';

/** All that a kernel layer holds besides folders. */
export const KERNEL_PATHS = [KERNEL_PATH, 'boot/config', KERNEL_JSON_PATH, PROFILE_PATH] as const;

/** Built once, pulled by every node: the time to compress it as far as it goes is well spent. */
const LEVEL = { zstd: 19, gzip: 9 } as const;

/** What went into a layer besides the files: another version of these may compress to other bytes. */
const WRITER = `1 zlib ${process.versions.zlib} zstd ${process.versions.zstd}`;

export interface KernelContent {
  vmlinux: Buffer;
  config: Buffer;
  kernelJson: Buffer;
  /** Which Linux, as kernel.json says it. */
  variant: string;
  /** As kernel.json says it; it says nothing of the preset `small`. */
  preset: string | undefined;
}

/** @throws ImageError `SOURCE_INVALID` */
export async function readKernelFiles(kernel: KernelFiles): Promise<KernelContent> {
  const read = async (path: string) =>
    await readFile(path).catch((cause) => {
      throw new ImageError('SOURCE_INVALID', `cannot read the kernel: ${(cause as Error).message}`, { cause });
    });
  const kernelJson =
    typeof kernel.kernelJson === 'string'
      ? await read(kernel.kernelJson)
      : Buffer.from(`${JSON.stringify(kernel.kernelJson, null, 2)}\n`);
  return {
    vmlinux: await read(kernel.vmlinux),
    config: await read(kernel.config),
    kernelJson,
    ...kindOf(kernelJson),
  };
}

function kindOf(kernelJson: Buffer): Pick<KernelContent, 'variant' | 'preset'> {
  try {
    const { variant, preset } = JSON.parse(kernelJson.toString('utf8'));
    if (typeof variant === 'string') return { variant, preset: typeof preset === 'string' ? preset : undefined };
  } catch {
    // Not JSON: the same as JSON that does not say it.
  }
  throw new ImageError('SOURCE_INVALID', 'kernel.json does not say which variant it is of');
}

/**
 * The kernel layer of a kernel and a profile. The same kernel and profile give the same layer in every image, and it is
 * compressed only once per store.
 */
export async function writeKernelLayer(
  content: KernelContent,
  profile: Profile,
  store: ContentStore,
  options: Pick<WriteLayerOptions, 'compression' | 'mtime' | 'signal'>,
): Promise<Layer> {
  const files: [path: string, bytes: Buffer][] = [
    [KERNEL_PATH, content.vmlinux],
    ['boot/config', content.config],
    [KERNEL_JSON_PATH, content.kernelJson],
    [PROFILE_PATH, formatProfile(profile)],
  ];
  const memo = join(store.root, 'kernel-layers', `${inputDigest(files, options)}.json`);
  const known = await recall(memo, store);
  if (known !== undefined) return known;
  const entries = files.map(([path, bytes]): LayerEntry => {
    return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, source: { bytes } };
  });
  const { diffId, digest, size } = await writeLayer(entries, store, { ...options, level: LEVEL[options.compression] });
  const layer: Layer = { descriptor: { mediaType: layerMediaType(options.compression), digest, size }, diffId };
  await remember(memo, layer);
  return layer;
}

/** The kernel layer of a request: made from files, or one that is in the store already. */
export async function requestedKernel(
  kernel: KernelFiles | { layer: Layer; variant: string },
  profile: Profile,
  store: ContentStore,
  options: Pick<WriteLayerOptions, 'compression' | 'mtime' | 'signal'>,
): Promise<{ layer: Layer; variant: string }> {
  if ('layer' in kernel) return kernel;
  const files = await readKernelFiles(kernel);
  return { layer: await writeKernelLayer(files, profile, store, options), variant: files.variant };
}

function inputDigest(
  files: [string, Buffer][],
  { compression, mtime }: { compression: string; mtime?: number },
): string {
  const hash = createHash('sha256').update(`${WRITER} ${compression} ${mtime ?? 0}\n`);
  for (const [path, bytes] of files) hash.update(`${path} ${bytes.length}\n`).update(bytes);
  return hash.digest('hex');
}

/** The memo is a hint: if it is damaged or its blob is gone, the layer is made again. */
async function recall(memo: string, store: ContentStore): Promise<Layer | undefined> {
  try {
    const { descriptor, diffId } = JSON.parse(await readFile(memo, 'utf8')) as Layer;
    if (!isDigest(descriptor.digest) || !isDigest(diffId)) return undefined;
    // A write of what is there renews it, so that a collection under way leaves it; of what is not there, it fails.
    await store.write(descriptor, Readable.from([]));
    return { descriptor, diffId };
  } catch {
    return undefined;
  }
}

async function remember(memo: string, layer: Layer): Promise<void> {
  const temporary = `${memo}.${process.pid}`;
  try {
    await mkdir(join(memo, '..'), { recursive: true });
    await writeFile(temporary, JSON.stringify(layer));
    await rename(temporary, memo);
  } catch {
    // Next time costs as much as this time.
  }
}
