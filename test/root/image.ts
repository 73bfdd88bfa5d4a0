// SPDX-License-Identifier: Apache-2.0
// Container images made of layers that a test writes, and the kernel that they are booted with.
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type Descriptor, type Digest, digestOf, type ExecutionConfig, MEDIA_TYPE } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { kernelFor } from '../../kernel-build/index.ts';
import { kernelOfFiles, type ReadyKernel } from '../../puller/index.ts';

/** A layer as its plain archive. The diff_id is the archive's own, but in tests of what lies. */
export interface PlainLayer {
  bytes: Uint8Array;
  diffId: Digest;
}

export interface ImageChoice {
  config?: ExecutionConfig;
  /** Default: amd64. */
  architecture?: string;
  /** Of the layers. Default: OCI's, with gzip. */
  mediaType?: string;
}

/** Writes an image into a store. @returns the descriptor of its manifest */
export async function writeImage(
  store: ContentStore,
  layers: readonly PlainLayer[],
  { config = {}, architecture = 'amd64', mediaType = MEDIA_TYPE.layerGzip }: ImageChoice = {},
): Promise<Descriptor> {
  const descriptors: Descriptor[] = [];
  for (const { bytes } of layers) {
    const packed = mediaType.endsWith('gzip') ? gzipSync(bytes, { level: 1 }) : bytes;
    descriptors.push(await writeBlob(store, mediaType, packed));
  }
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
  const imageConfig = await writeJson(store, MEDIA_TYPE.config, { architecture, os: 'linux', config, rootfs });
  return writeManifest(store, imageConfig, descriptors);
}

export function writeManifest(
  store: ContentStore,
  config: Descriptor,
  layers: readonly Descriptor[],
): Promise<Descriptor> {
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
  return writeJson(store, MEDIA_TYPE.manifest, manifest);
}

export function writeJson(store: ContentStore, mediaType: string, value: unknown): Promise<Descriptor> {
  return writeBlob(store, mediaType, Buffer.from(JSON.stringify(value)));
}

export async function writeBlob(store: ContentStore, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await store.write(descriptor, Readable.from([bytes]));
  return descriptor;
}

let kernel: Promise<ReadyKernel> | undefined;

/** The kernel that `uk run` gives to an image that has none. */
export function generalKernel(): Promise<ReadyKernel> {
  kernel ??= (async () => {
    const profile = await loadProfile();
    return kernelOfFiles(await kernelFor({ ...profile.kernel, preset: 'general' }), profile);
  })();
  return kernel;
}
