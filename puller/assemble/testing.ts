// SPDX-License-Identifier: Apache-2.0
// For tests: images of the usual form, without anything in them that could run.
import { Readable } from 'node:stream';
import { formatProfile, loadProfile } from '../../hardware-profiles/index.ts';
import {
  ANNOTATION,
  type Descriptor,
  digestOf,
  IMAGE_VERSION,
  LABEL,
  LAYER_ROLES,
  MEDIA_TYPE,
} from '../../image-format/index.ts';
import { type LayerEntry, writeLayer } from '../../image-format/layers/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';

export const OWNED = { mode: 0o644, uid: 0, gid: 0 };

export function file(path: string, text: string | Buffer, more: Partial<LayerEntry> = {}): LayerEntry {
  return { path, type: 'file', ...OWNED, source: { bytes: Buffer.from(text) }, ...more };
}

export function link(path: string, linkname: string, type: 'symlink' | 'hardlink' = 'symlink'): LayerEntry {
  return { path, type, ...OWNED, mode: 0o777, linkname };
}

/** The files of a kernel layer that promises a version of the guest's contract. */
export async function testKernel(guestContract: number): Promise<LayerEntry[]> {
  return [
    file('boot/vmlinux', 'the kernel'),
    file('boot/config', 'CONFIG_X=y\nCONFIG_HZ_100=y\nCONFIG_HZ=100\n'),
    file('boot/kernel.json', JSON.stringify({ guestContract, version: '6.12.0' })),
    file('boot/profile.json', formatProfile(await loadProfile())),
  ];
}

export interface TestImage {
  kernel: LayerEntry[];
  deps?: LayerEntry[];
  app?: LayerEntry[];
  config?: LayerEntry[];
  command?: string[];
  /** What the config says instead of what is true. */
  diffId?: (role: string) => string | undefined;
  compression?: 'zstd' | 'gzip';
  labels?: Record<string, string>;
  /** A container image: no kernel, no labels, no annotations of ours. */
  plain?: boolean;
}

/** Puts an image of the usual form into a store. Nothing in it could run. */
export async function makeTestImage(
  store: ContentStore,
  { compression = 'zstd', diffId, labels = {}, plain = false, command, ...given }: TestImage,
): Promise<Descriptor> {
  const parts = { deps: [file('deps', 'd')], app: [file('app', 'a')], config: [file('etc/c', 'c')], ...given };
  const layers = [];
  for (const role of plain ? LAYER_ROLES.slice(1) : LAYER_ROLES) {
    const written = await writeLayer(parts[role], store, { compression, mtime: 42 });
    layers.push({ role, ...written });
  }
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {
      Entrypoint: ['/app'],
      ...(command === undefined ? {} : { Cmd: command }),
      Labels: plain ? {} : { [LABEL.layerRoles]: LAYER_ROLES.join(','), ...labels },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ role, diffId: found }) => diffId?.(role) ?? found) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await put(store, Buffer.from(JSON.stringify(config)), MEDIA_TYPE.config),
    layers: layers.map(({ role, digest, size }) => ({
      mediaType: compression === 'zstd' ? MEDIA_TYPE.layerZstd : MEDIA_TYPE.layerGzip,
      digest,
      size,
      annotations: plain ? {} : { [ANNOTATION.layerRole]: role },
    })),
    annotations: plain
      ? {}
      : {
          [ANNOTATION.imageVersion]: IMAGE_VERSION,
          [ANNOTATION.profile]: 'qemu-microvm',
          [ANNOTATION.kernelVariant]: 'default',
        },
  };
  return await put(store, Buffer.from(JSON.stringify(manifest)), MEDIA_TYPE.manifest);
}

async function put(store: ContentStore, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(bytes);
  await store.write({ digest, size: bytes.length }, Readable.from([bytes]));
  return { mediaType, digest, size: bytes.length };
}
