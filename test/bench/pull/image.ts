// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Descriptor, type Digest, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { openRemote } from '../../../image-format/remote/index.ts';

const MB = 1000 * 1000;

/** Bytes of the layers of each image. */
export const IMAGES = {
  '100MB': [40 * MB, 30 * MB, 20 * MB, 9 * MB, 1 * MB],
  '1GB': [400 * MB, 300 * MB, 150 * MB, 100 * MB, 45 * MB, 5 * MB],
} as const;

export type ImageName = keyof typeof IMAGES;

export interface BenchImage {
  name: ImageName;
  /** Config and layers. */
  blobs: Descriptor[];
  /** Bytes of them. */
  size: number;
}

/** Puts an image into a registry, as `bench/<name>:1`: tar archives of one file each, which does not compress. */
export async function pushImage(registry: string, name: ImageName, folder: string): Promise<BenchImage> {
  const remote = openRemote({ registry, env: {} });
  const repository = repositoryOf(name);
  try {
    const layers: Descriptor[] = [];
    const diffIds: Digest[] = [];
    for (const [number, bytes] of IMAGES[name].entries()) {
      const made = await makeLayer(join(folder, `layer-${number}`), bytes);
      await remote.pushBlob(repository, made.layer, () => createReadStream(made.path));
      await rm(join(folder, `layer-${number}`), { recursive: true });
      layers.push(made.layer);
      diffIds.push(made.diffId);
    }
    const document = { os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
    const json = Buffer.from(JSON.stringify(document));
    const config = { mediaType: MEDIA_TYPE.config, digest: digestOf(json), size: json.length };
    await remote.pushBlob(repository, config, () => Readable.from([json]));
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
    await remote.pushManifest(repository, '1', Buffer.from(JSON.stringify(manifest)), MEDIA_TYPE.manifest);
    const blobs = [config, ...layers];
    return { name, blobs, size: blobs.reduce((sum, { size }) => sum + size, 0) };
  } finally {
    await remote.close();
  }
}

export function repositoryOf(name: ImageName): string {
  return `bench/${name.toLowerCase()}`;
}

async function makeLayer(folder: string, bytes: number): Promise<{ path: string; layer: Descriptor; diffId: Digest }> {
  await mkdir(folder);
  await pipeline(createReadStream('/dev/urandom', { end: bytes - 1 }), createWriteStream(join(folder, 'data')));
  const tar = join(folder, 'layer.tar');
  execFileSync('tar', ['-C', folder, '-cf', tar, 'data']);
  execFileSync('zstd', ['-q', '-1', '--rm', '-k', tar]);
  const path = `${tar}.zst`;
  const layer = { mediaType: MEDIA_TYPE.layerZstd, digest: await digestOfFile(path), size: (await stat(path)).size };
  return { path, layer, diffId: await digestOfFile(tar) };
}

async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
