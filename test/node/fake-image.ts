// SPDX-License-Identifier: Apache-2.0
// An image of the usual form without anything in it that could run: for the monitor of fake-monitor.ts.
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
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';

function file(path: string, text: string | Buffer): LayerEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, source: { bytes: Buffer.from(text) } };
}

async function put(store: ContentStore, value: unknown, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = digestOf(bytes);
  await store.write({ digest, size: bytes.length }, Readable.from([bytes]));
  return { mediaType, digest, size: bytes.length };
}

/** Puts the image `localhost/fake:1` into a store. */
export async function makeFakeImage(folder: string): Promise<void> {
  const store = await openContentStore(folder);
  const parts: Record<string, LayerEntry[]> = {
    kernel: [
      file('boot/vmlinux', 'no kernel'),
      file('boot/config', 'CONFIG_HZ_100=y\nCONFIG_HZ=100\n'),
      file('boot/kernel.json', JSON.stringify({ guestContract: 2, version: '6.12.0' })),
      file('boot/profile.json', formatProfile(await loadProfile())),
    ],
    deps: [file('deps', 'd')],
    app: [file('app', 'a')],
    config: [file('etc/c', 'c')],
  };
  const layers = [];
  for (const role of LAYER_ROLES) {
    const written = await writeLayer(parts[role] ?? [], store, { compression: 'zstd', mtime: 42 });
    layers.push({ role, ...written });
  }
  const config = await put(
    store,
    {
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/app'], Cmd: ['sleep'], Labels: { [LABEL.layerRoles]: LAYER_ROLES.join(',') } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    },
    MEDIA_TYPE.config,
  );
  const manifest = await put(
    store,
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config,
      layers: layers.map(({ role, digest, size }) => ({
        ...{ mediaType: MEDIA_TYPE.layerZstd, digest, size },
        annotations: { [ANNOTATION.layerRole]: role },
      })),
      annotations: {
        [ANNOTATION.imageVersion]: IMAGE_VERSION,
        [ANNOTATION.profile]: 'qemu-microvm',
        [ANNOTATION.kernelVariant]: 'default',
      },
    },
    MEDIA_TYPE.manifest,
  );
  await store.tag('localhost/fake:1', manifest);
}
