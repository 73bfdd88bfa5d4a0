// SPDX-License-Identifier: Apache-2.0
// What an author may put into an image to hurt those who look at it: shown as data, or refused with a reason.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { createService, type Service } from '../service/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createBrowse } from './browse.ts';
import type { Browse } from './contract.ts';
import { Pusher, tarOf } from './testing.ts';

let root: string;
let store: ObjectStore;
let service: Service;
let browse: Browse;
let push: Pusher;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-bad-'));
  store = await FilesystemStore.open({ root });
  service = createService(store, { sparse: true });
  browse = createBrowse({ store, service });
  push = new Pusher(service);
});
afterEach(async () => {
  await browse.close();
  await store.close();
  await rm(root, { recursive: true });
});

const HOSTILE = '<script>alert(1)</script>\u202e\u0007\u001b[31m';

test('hostile annotations, labels and READMEs come as they are, and a long README is cut', async () => {
  const annotations = {
    'org.opencontainers.image.title': HOSTILE,
    'org.opencontainers.image.created': HOSTILE,
    'vnd.uk.profile': HOSTILE,
    'vnd.uk.readme': HOSTILE.repeat(20_000),
  };
  await push.image('app', ['v1'], ['x'], { annotations, labels: { [HOSTILE]: HOSTILE } });
  const image = await browse.image('app', 'v1');
  expect(image.annotations['org.opencontainers.image.title']).toBe(HOSTILE);
  expect(image.run?.labels[HOSTILE]).toBe(HOSTILE);
  expect(image.created).toBeUndefined();
  const repository = await browse.repository('app');
  expect(repository.readme).toMatchObject({ cut: true });
  expect(repository.readme?.markdown.length).toBeLessThan(200_000);
});

test('a text of a megabyte in each place is answered', async () => {
  const long = 'x'.repeat(1024 * 1024);
  await push.image('app', ['v1'], ['x'], { labels: { long }, annotations: { long } });
  expect((await browse.image('app', 'v1')).annotations.long).toHaveLength(1024 * 1024);
  expect((await browse.document('app', 'v1')).cut).toBe(true);
});

test('a manifest of 1,000 layers is shown; only the first of them are counted', async () => {
  await push.image(
    'app',
    ['v1'],
    Array.from({ length: 1_000 }, (_, at) => (at === 999 ? 'last' : `layer ${at % 60}`)),
  );
  const { layers } = await browse.image('app', 'v1');
  expect(layers).toHaveLength(1_000);
  expect(layers[0]?.sharedBy).toEqual({ repositories: 0, images: 0, more: false });
  expect(layers[999]?.sharedBy).toBeUndefined();
  expect((await browse.tags('app')).rows).toHaveLength(1);
  expect(await browse.files({ repository: 'app', reference: 'v1' })).toMatchObject({
    state: 'refused',
    reason: { code: 'CONTENT_UNREADABLE' },
  });
});

test('of 10,000 layers only the first are looked up, and a comparison says that the rest is too much', async () => {
  await push.image('app', ['one'], ['same']);
  const layer = await push.blob('app', 'same', MEDIA_TYPE.layer);
  await push.manifest('app', ['many'], {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await push.blob('app', '{"os":"linux","architecture":"amd64"}', MEDIA_TYPE.config),
    layers: Array.from({ length: 10_000 }, () => layer),
  });
  const { layers } = await browse.image('app', 'many');
  expect(layers).toHaveLength(10_000);
  expect(layers[511]).toHaveProperty('link');
  expect(layers[512]).not.toHaveProperty('link');
  expect(layers[512]).not.toHaveProperty('unreadable');
  const sides = { from: { repository: 'app', reference: 'one' }, to: { repository: 'app', reference: 'many' } };
  expect(await browse.compare(sides)).toMatchObject({ files: { state: 'refused' } });
  expect(await browse.compareFiles(sides)).toMatchObject({ state: 'refused' });
});

test('layers and contents that are not there are unknown', async () => {
  await push.image('app', ['v1'], [tarOf([{ path: 'file', content: 'x' }])]);
  await expect(browse.artifact('app', 'v1', 7)).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
  for (;;) {
    const asked = browse.files({ repository: 'app', reference: 'v1', layer: 7 });
    if ((await asked.catch(() => ({ state: 'refused' }))).state === 'making') continue;
    await expect(asked).rejects.toMatchObject({ code: 'FILE_UNKNOWN', message: 'v1 has no layer 7' });
    break;
  }
});

test('JSON that is nested too deeply to be written is shown as it came, or not', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  await push.image('app', ['v1'], [tarOf([{ path: 'boot/kernel.json', content: deep }])]);
  const subject = await push.image('app', ['v2'], ['x']);
  const { digest } = await push.artifact('app', { subject, artifactType: 'application/spdx+json', layers: [deep] });
  expect((await browse.artifact('app', digest)).text).toContain('[[[[');
  expect(await browse.packages('app', 'v2')).toBeUndefined();
  for (;;) {
    const kernel = await browse.kernel('app', 'v1');
    if (kernel.state === 'making') continue;
    expect(kernel).toMatchObject({ state: 'refused' });
    break;
  }
});

test('an index of 500 platforms shows the first, and says how many there are', async () => {
  const children = Array.from({ length: 500 }, (_, at) => ({
    mediaType: MEDIA_TYPE.manifest,
    digest: digestOf(`child ${at}`),
    size: 7,
    platform: { os: 'linux', architecture: `a${at}` },
  }));
  await push.index('app', ['v1'], children);
  const { rows } = await browse.tags('app');
  expect(rows[0]).toMatchObject({ kind: 'index', platformCount: 500 });
  expect(rows[0]?.platforms).toHaveLength(50);
  expect(rows[0]?.platforms[0]).toEqual({ digest: children[0]?.digest, platform: 'linux/a0', attestation: false });
});

test('sizes that lie are told, and break nothing', async () => {
  const config = await push.blob('app', '{"os":"linux","architecture":"amd64"}', MEDIA_TYPE.config);
  await push.blob('app', 'present', MEDIA_TYPE.layer);
  // The registry refuses a size that is not the blob's; one that it does not hold may say anything.
  await push.manifest('app', ['v1'], {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config,
    layers: [{ mediaType: MEDIA_TYPE.layer, digest: digestOf('not here'), size: Number.MAX_SAFE_INTEGER }],
  });
  const image = await browse.image('app', 'v1');
  expect(image.layers[0]).toMatchObject({ unreadable: 'the registry does not hold the layer' });
  expect(image.layers[0]).not.toHaveProperty('link');
  expect(image.warnings).toContainEqual(expect.stringContaining('config'));
  expect(await browse.space()).toMatchObject({ state: 'ready' });
  expect(await browse.files({ repository: 'app', reference: 'v1' })).toMatchObject({ state: 'refused' });
});

test('a config that lies about its layers and history is shown with warnings', async () => {
  await push.image('app', ['v1'], ['x'], {
    config: { rootfs: { type: 'layers', diff_ids: [] }, history: Array.from({ length: 5 }, () => ({})) },
  });
  const image = await browse.image('app', 'v1');
  expect(image.warnings).toHaveLength(2);
  expect(image.history).toHaveLength(5);
  await push.image('app', ['v2'], ['x'], { config: { os: 7 } });
  expect((await browse.image('app', 'v2')).warnings).toHaveLength(1);
});

test('a chain of referrers is cut where it is too deep, and so are too many', async () => {
  let subject = await push.image('app', ['v1'], ['x']);
  for (let at = 0; at < 12; at += 1) subject = await push.artifact('app', { subject, artifactType: `a/b${at}` });
  expect(await browse.referrers('app', 'v1')).toMatchObject({ count: 8, more: true });
  const popular = await push.image('app', ['v2'], ['y']);
  for (let at = 0; at < 320; at += 1) {
    await push.artifact('app', { subject: popular, artifactType: 'a/b', annotations: { at: `${at}` } });
  }
  expect(await browse.referrers('app', 'v2')).toMatchObject({ count: 300, more: true });
  expect((await browse.tags('app', { search: 'v2' })).rows[0]?.referrers).toBe(320);
});

test('certificates, bundles and SBOMs of nonsense say nothing', async () => {
  const subject = await push.image('app', ['v1'], ['x']);
  await push.artifact('app', {
    subject,
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    layers: ['{"verificationMaterial":{"certificate":{"rawBytes":"AAAA"}}}'],
  });
  await push.artifact('app', { subject, artifactType: 'application/spdx+json', layers: ['[[[['] });
  const { referrers } = await browse.referrers('app', 'v1');
  expect(referrers.find(({ kind }) => kind === 'signature')?.signer).toEqual({ format: 'sigstore' });
  expect(await browse.packages('app', 'v1')).toBeUndefined();
});
