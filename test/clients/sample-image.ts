// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { create } from 'tar';
import { type Digest, digestHex, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';

export interface SampleImage {
  manifest: Buffer;
  digest: Digest;
  mediaType: string;
  blobs: Map<Digest, Buffer>;
  config: Digest;
  layers: Digest[];
}

export interface SampleOptions {
  compression?: 'gzip' | 'zstd';
  /** Files of one layer each; a name to what it holds. */
  layers?: Record<string, string | Buffer>[];
  annotations?: Record<string, string>;
}

/** A small ordinary OCI image, made anew each time from what it is told: other contents, other digests. */
export async function sampleImage(options: SampleOptions = {}): Promise<SampleImage> {
  const { compression = 'gzip', layers = [{ 'etc/hello': 'hello' }, { 'srv/data': Buffer.alloc(300_000, 'ab') }] } =
    options;
  const blobs = new Map<Digest, Buffer>();
  const add = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const tars = await Promise.all(layers.map(tarOf));
  const packed = tars.map((tar) =>
    compression === 'gzip'
      ? add(gzipSync(tar), MEDIA_TYPE.layerGzip)
      : add(zstdCompressSync(tar), MEDIA_TYPE.layerZstd),
  );
  const config = add(
    Buffer.from(
      JSON.stringify({
        created: '2026-01-01T00:00:00Z',
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['/etc/hello'] },
        rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
        history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'a test' })),
      }),
    ),
    MEDIA_TYPE.config,
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config,
      layers: packed,
      ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
    }),
  );
  return {
    manifest,
    digest: digestOf(manifest),
    mediaType: MEDIA_TYPE.manifest,
    blobs,
    config: config.digest,
    layers: packed.map((layer) => layer.digest),
  };
}

/** Writes an image as an OCI image layout with one tag (image-spec image-layout.md). */
export async function writeLayout(folder: string, image: SampleImage, tag: string): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  for (const [digest, bytes] of [...image.blobs, [image.digest, image.manifest] as const]) {
    await writeFile(join(blobs, digestHex(digest)), bytes);
  }
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const entry = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length };
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [{ ...entry, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
}

async function tarOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-sample-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const tops = [...new Set(Object.keys(files).map((name) => name.split('/')[0] ?? name))];
    const stream = create({ cwd: folder, portable: true, mtime: new Date(0) }, tops);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } finally {
    await rm(folder, { recursive: true });
  }
}
