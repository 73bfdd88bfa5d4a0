// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import type { Prepared } from './contestants.ts';

const MIB = 1024 * 1024;
export const IMAGES = 'bench/images';
export const BLOBS = 'bench/blobs';
export const FEW_TAGS = 'bench/few-tags';
export const MANY_TAGS = 'bench/many-tags';
export const REFERRERS = 'bench/referrers';
export const FEW = 1000;

/** What every server holds: the same bytes, made once a run. */
export interface Data {
  images: { tag: string; digest: Digest; bytes: Buffer }[];
  medium: { digest: Digest; bytes: Buffer }[];
  large: { digest: Digest; bytes: Buffer }[];
  layer: Buffer;
  config: Buffer;
  subject: Digest;
  referrers: Buffer[];
  manyTags: number;
}

export function makeData(manyTags: number): Data {
  const blob = (size: number) => {
    const bytes = randomBytes(size);
    return { digest: digestOf(bytes), bytes };
  };
  const layer = randomBytes(200);
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const images = Array.from({ length: 16 }, (_, at) => {
    const bytes = manifest(config, layer, { annotations: annotations(at) });
    return { tag: `v1.${at}`, digest: digestOf(bytes), bytes };
  });
  const subject = images[0]?.digest ?? digestOf('');
  const referrers = Array.from({ length: 20 }, (_, at) =>
    manifest(config, layer, {
      artifactType: 'application/vnd.bench.signature',
      subject: { mediaType: MEDIA_TYPE.manifest, digest: subject, size: images[0]?.bytes.length ?? 0 },
      annotations: annotations(at),
    }),
  );
  return {
    images,
    medium: Array.from({ length: 4 }, () => blob(4 * MIB)),
    large: Array.from({ length: 2 }, () => blob(64 * MIB)),
    layer,
    config,
    subject,
    referrers,
    manyTags,
  };
}

/** As long as a real one: four layers with what they say about themselves. */
function manifest(config: Buffer, layer: Buffer, more: object): Buffer {
  const described = {
    digest: digestOf(layer),
    size: layer.length,
    annotations: { 'org.example.role': 'dependencies' },
  };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: MEDIA_TYPE.config, digest: digestOf(config), size: config.length },
      layers: Array.from({ length: 4 }, () => ({ mediaType: MEDIA_TYPE.layer, ...described })),
      ...more,
    }),
  );
}

const annotations = (at: number) => ({
  'org.opencontainers.image.created': '2026-01-01T00:00:00Z',
  'org.opencontainers.image.version': `1.${at}`,
});

/** Pushes all of it. */
export async function pushData(url: string, data: Data, withReferrers: boolean): Promise<void> {
  const repositories = [IMAGES, FEW_TAGS, MANY_TAGS, ...(withReferrers ? [REFERRERS] : [])];
  for (const repository of repositories) {
    await pushBlob(url, repository, data.config);
    await pushBlob(url, repository, data.layer);
  }
  for (const { bytes } of [...data.medium, ...data.large]) await pushBlob(url, BLOBS, bytes);
  for (const { tag, bytes } of data.images) await pushManifest(url, IMAGES, tag, bytes);
  const [model] = data.images;
  if (model === undefined) return;
  await pushManifest(url, FEW_TAGS, nameOfTag(0), model.bytes);
  await pushManifest(url, MANY_TAGS, nameOfTag(0), model.bytes);
  if (!withReferrers) return;
  await pushManifest(url, REFERRERS, 'subject', model.bytes);
  for (const bytes of data.referrers) await pushManifest(url, REFERRERS, digestOf(bytes), bytes);
}

async function pushBlob(url: string, repository: string, bytes: Buffer): Promise<void> {
  const started = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  expect(started, 202);
  const where = new URL(started.headers.get('location') ?? '', url);
  where.searchParams.set('digest', digestOf(bytes));
  const headers = { 'Content-Type': 'application/octet-stream' };
  expect(await fetch(where, { method: 'PUT', body: new Uint8Array(bytes), headers }), 201);
}

export async function pushManifest(url: string, repository: string, reference: string, bytes: Buffer): Promise<void> {
  const headers = { 'Content-Type': MEDIA_TYPE.manifest };
  const body = new Uint8Array(bytes);
  expect(await fetch(`${url}/v2/${repository}/manifests/${reference}`, { method: 'PUT', body, headers }), 201);
}

function expect(answer: Response, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.url}: ${answer.status} and not ${status}`);
}

const nameOfTag = (at: number) => `v${String(at).padStart(7, '0')}`;

/**
 * Copies the one tag that was pushed under many names. Pushing them would take each server minutes, and how they came
 * there is not what is measured. What a server keeps beside the tag, for deleting or moving it, is left out.
 */
export function multiplyTags(storage: string, layout: Prepared['layout'], data: Data): void {
  for (const [repository, count] of [
    [FEW_TAGS, FEW],
    [MANY_TAGS, data.manyTags],
  ] as const) {
    const folder = layout === 'uk' ? `objects/repositories/${repository}/_tags` : dockerTags(repository);
    const tags = join(storage, folder);
    const model = join(tags, nameOfTag(0));
    for (let at = 1; at < count; at += 1) {
      const tag = join(tags, nameOfTag(at));
      if (layout === 'uk') copyFileSync(model, tag);
      else linkTag(model, tag);
    }
    const { length } = readdirSync(tags);
    if (length !== count) throw new Error(`${tags} holds ${length} tags and not ${count}`);
  }
}

const dockerTags = (repository: string) => `docker/registry/v2/repositories/${repository}/_manifests/tags`;

function linkTag(model: string, tag: string): void {
  const from = join(model, 'current/link');
  const to = join(tag, 'current/link');
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    // A file has only so many names (65,000 on ext4): the model gets a new one.
    rmSync(from);
    copyFileSync(join(model, '../v0000001/current/link'), from);
    linkSync(from, to);
  }
}
