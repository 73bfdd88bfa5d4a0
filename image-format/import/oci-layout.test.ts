// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContainerImage } from '../build/index.ts';
import type { Descriptor } from '../descriptor.ts';
import { digestHex, digestOf } from '../digest.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { importImage, parseSource } from './index.ts';
import { configOf, member, TestLayout, tarOf } from './testing.ts';

let dir: string;
let store: ContentStore;
let layout: TestLayout;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-oci-'));
  store = await openContentStore(join(dir, 'store'));
  layout = new TestLayout(join(dir, 'layout'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

const take = async (rest = '') => {
  const source = parseSource(`oci:${layout.folder}${rest}`);
  if (source === undefined) throw new Error('not a source');
  return await importImage(store, source);
};

async function image(text: string, changes: object = {}): Promise<Descriptor> {
  const tar = await tarOf(member('etc/motd', text));
  const layer = await layout.blob(gzipSync(tar), MEDIA_TYPE.layerGzip);
  const config = await layout.blob(configOf([digestOf(tar)], changes), MEDIA_TYPE.config);
  return await layout.json(
    { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] },
    MEDIA_TYPE.manifest,
  );
}
const named = (descriptor: Descriptor, name: string): Descriptor => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
});

test('an image is taken byte for byte', async () => {
  const made = await image('hello');
  await layout.index(made);
  expect(await take()).toEqual(made);
  const { layers, config } = await readContainerImage(store, made);
  expect(layers).toHaveLength(1);
  expect(config.config?.Cmd).toEqual(['x']);
  for (const { descriptor } of layers) {
    const path = join(layout.folder, 'blobs/sha256', digestHex(descriptor.digest));
    expect(await store.read(descriptor.digest)).toEqual(await readFile(path));
  }
});

test('one of several is named by tag, containerd name or digest', async () => {
  const [one, two] = [await image('1'), await image('2')];
  const full = { ...two.annotations, 'io.containerd.image.name': 'docker.io/library/x:2' };
  await layout.index(named(one, '1'), { ...named(two, '2'), annotations: { ...named(two, '2').annotations, ...full } });
  expect(await take(':1')).toEqual(one);
  expect(await take(':2')).toEqual(two);
  expect(await take(':docker.io/library/x:2')).toEqual(two);
  expect(await take(`@${two.digest}`)).toEqual(two);
  await expect(take()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/2 images: 1, 2$/) });
  await expect(take(':3')).rejects.toMatchObject({
    message: `oci:${layout.folder}: no image is called "3": 1, 2`,
    hint: `write oci:${layout.folder}:TAG or oci:${layout.folder}@DIGEST`,
  });
});

test('of an index the image for amd64 is taken, and attestations are left', async () => {
  const amd64 = { ...(await image('amd64')), platform: { os: 'linux', architecture: 'amd64' } };
  const arm64 = { ...(await image('arm64')), platform: { os: 'linux', architecture: 'arm64' } };
  const manifests = [arm64, { ...arm64, platform: { os: 'unknown', architecture: 'unknown' } }, amd64];
  const index = await layout.json({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
  await layout.index(index);
  expect(await take()).toEqual(index);
  expect((await readContainerImage(store, index)).descriptor.digest).toBe(amd64.digest);
  expect(await store.stat(arm64.digest)).toBeUndefined();
  expect((await take(`@${amd64.digest}`)).digest).toBe(amd64.digest);
});

test('bytes that are not what their digest says', async () => {
  const made = await image('hello');
  await layout.index(made);
  const { layers } = JSON.parse(await readFile(join(layout.folder, 'blobs/sha256', digestHex(made.digest)), 'utf8'));
  const path = join(layout.folder, 'blobs/sha256', digestHex(layers[0].digest));
  const bytes = await readFile(path);
  await writeFile(path, Buffer.from(bytes).fill(0, 20));
  await expect(take()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', message: expect.stringContaining('oci:') });
  await writeFile(path, bytes.subarray(1));
  await expect(take()).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  await rm(path);
  await expect(take()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `oci:${layout.folder}: it does not have ${layers[0].digest}, which its image needs`,
  });
  expect(await store.stat(made.digest)).toBeUndefined();
});

test('what cannot be used is refused before a layer is taken', async () => {
  await layout.index(await image('hello', { architecture: 'arm64' }));
  await expect(take()).rejects.toThrow('it is for linux on arm64');
  const config = await layout.blob(configOf([]), MEDIA_TYPE.config);
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  const layer = await layout.blob('layer', foreign);
  await layout.index(await layout.json({ schemaVersion: 2, config, layers: [layer] }, MEDIA_TYPE.manifest));
  await expect(take()).rejects.toThrow(`layer 1 (${layer.digest}) is foreign`);
  expect(await store.collect({ graceMs: -1, dryRun: true })).toEqual([]);
});

test('what is no layout', async () => {
  await expect(take()).rejects.toMatchObject({
    code: 'LAYOUT_INVALID',
    message: expect.stringContaining('oci-layout'),
  });
  await layout.index();
  await expect(take()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('is empty') });
  await layout.put('oci-layout', '{"imageLayoutVersion":"2.0.0"}');
  await expect(take()).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
});
