// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { createService, type Service } from '../service/index.ts';
import { SYSTEM } from '../service/surroundings.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createBrowse } from './browse.ts';
import type { Browse } from './contract.ts';
import { Pusher } from './testing.ts';

let root: string;
let store: ObjectStore;
let service: Service;
let browse: Browse;
let now: number;
let push: Pusher;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-browse-'));
  store = await FilesystemStore.open({ root });
  now = Date.UTC(2026, 0, 1);
  const surroundings = { ...SYSTEM, now: () => now };
  service = createService(store, {}, surroundings);
  browse = createBrowse({ store, service, surroundings });
  push = new Pusher(service);
});
afterEach(async () => {
  await browse.close();
  await store.close();
  await rm(root, { recursive: true });
});
const minutes = (count: number) => {
  now += count * 60_000;
};

describe('repositories', () => {
  test('are searched, put into folders, and sorted by the last push', async () => {
    for (const name of ['team/one', 'team/two', 'alone', 'team/deep/er']) {
      await push.image(name, ['v1'], [`layer of ${name}`]);
      minutes(1);
    }
    const all = await browse.repositories();
    expect(all.rows.map(({ name }) => name)).toEqual(['alone', 'team/deep/er', 'team/one', 'team/two']);
    expect(all).toMatchObject({ total: 4, matched: 4, page: 1 });
    const folders = await browse.repositories({ folders: true });
    expect(folders.rows.map(({ kind, name }) => [kind, name])).toEqual([
      ['repository', 'alone'],
      ['folder', 'team'],
    ]);
    const below = await browse.repositories({ folders: true, prefix: 'team' });
    expect(below.rows.map(({ kind, name }) => [kind, name])).toEqual([
      ['folder', 'team/deep'],
      ['repository', 'team/one'],
      ['repository', 'team/two'],
    ]);
    expect(await browse.repositories({ search: 'TEAM o' })).toMatchObject({ total: 4, matched: 2 });
    const pushed = await browse.repositories({ sort: 'pushed' });
    expect(pushed.rows.map(({ name }) => name)).toEqual(['team/deep/er', 'alone', 'team/two', 'team/one']);
  });

  test('that are empty, or hold only untagged manifests, are seen', async () => {
    const { digest } = await push.image('emptied', ['v1'], ['a']);
    await service.manifests.delete('emptied', digest);
    await push.image('nameless', [], ['a']);
    const { rows } = await browse.repositories();
    expect(rows).toMatchObject([
      { name: 'emptied', state: 'empty', tags: 0 },
      { name: 'nameless', state: 'untagged', tags: 0 },
    ]);
    expect(await browse.repository('nameless')).toMatchObject({ state: 'untagged', untagged: 1 });
    await expect(browse.repository('never')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  });

  test('that another replica pushes appear, and move up', async () => {
    await push.image('one', ['v1'], ['a']);
    minutes(1);
    await push.image('two', ['v1'], ['a']);
    minutes(30);
    expect((await browse.repositories({ sort: 'pushed' })).rows.map(({ name }) => name)).toEqual(['two', 'one']);
    const elsewhere = new Pusher(createService(store, {}, { ...SYSTEM, now: () => now }));
    await elsewhere.image('three', ['v1'], ['a']);
    minutes(1);
    await elsewhere.image('one', ['v2'], ['b']);
    minutes(1);
    const { rows } = await browse.repositories({ sort: 'pushed' });
    expect(rows.map(({ name }) => name)).toEqual(['one', 'three', 'two']);
    expect((await browse.tags('one')).rows.map(({ tag }) => tag)).toEqual(['v2', 'v1']);
  });
});

describe('tags', () => {
  test('are sorted as versions, filtered, and say what they are', async () => {
    for (const tag of ['v1.9', 'v1.10', 'v1.10-rc1', 'latest', 'edge']) {
      await push.image('app', [tag], [`layer ${tag}`]);
      minutes(1);
    }
    const { rows } = await browse.tags('app');
    expect(rows.map(({ tag }) => tag)).toEqual(['latest', 'v1.10', 'v1.10-rc1', 'v1.9', 'edge']);
    expect(rows[0]).toMatchObject({
      kind: 'image',
      platforms: [{ platform: 'linux/amd64' }],
      signed: false,
      mediaType: MEDIA_TYPE.manifest,
    });
    const byTime = await browse.tags('app', { sort: 'pushed' });
    expect(byTime.rows.map(({ tag }) => tag)).toEqual(['edge', 'latest', 'v1.10-rc1', 'v1.10', 'v1.9']);
    expect(byTime.rows[0]?.pushed).toBe(now - 60_000);
    expect(await browse.tags('app', { search: '1.10' })).toMatchObject({ matched: 2, total: 5 });
  });

  test('that attach signatures are no versions; both ways of signing are seen', async () => {
    const one = await push.image('app', ['v1'], ['one']);
    const two = await push.image('app', ['v2'], ['two']);
    await push.image('app', ['v3'], ['three']);
    await push.artifact('app', {
      tags: [`${one.digest.replace(':', '-')}.sig`],
      artifactType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    });
    await push.artifact('app', { subject: two, artifactType: 'application/vnd.cncf.notary.signature' });
    const { rows, total } = await browse.tags('app');
    expect(total).toBe(3);
    expect(rows.map(({ tag, signed }) => [tag, signed])).toEqual([
      ['v3', false],
      ['v2', true],
      ['v1', true],
    ]);
    expect(await browse.referrers('app', 'v1')).toMatchObject({ referrers: [{ kind: 'signature', foundBy: 'tag' }] });
    expect(await browse.referrers('app', 'v2')).toMatchObject({
      referrers: [{ kind: 'signature', foundBy: 'referrer' }],
    });
  });

  test('of an index show every platform with its digest and size', async () => {
    const amd = await push.image('app', [], ['amd'], { architecture: 'amd64' });
    const arm = await push.image('app', [], ['arm'], { architecture: 'arm64' });
    await push.index(
      'app',
      ['v1'],
      [
        { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
        {
          ...arm,
          platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
          annotations: { 'vnd.uk.profile': 'p' },
        },
      ],
    );
    const { rows } = await browse.tags('app');
    expect(rows[0]).toMatchObject({
      kind: 'index',
      profiles: ['p'],
      platformCount: 2,
      platforms: [
        { platform: 'linux/amd64', digest: amd.digest },
        { platform: 'linux/arm64/v8', digest: arm.digest, profile: 'p' },
      ],
    });
    expect(await browse.image('app', amd.digest)).toMatchObject({ partOf: [rows[0]?.digest] });
    const untagged = await browse.untagged('app');
    expect(untagged).toMatchObject({ total: 2 });
    expect(untagged.rows.map(({ partOf }) => partOf)).toEqual([rows[0]?.digest, rows[0]?.digest]);
  });

  test('remember where they pointed', async () => {
    const one = await push.image('app', ['latest'], ['one']);
    minutes(5);
    const two = await push.image('app', ['latest'], ['two']);
    minutes(5);
    await service.manifests.delete('app', one.digest);
    expect((await browse.tagHistory('app', 'latest')).moves).toEqual([
      { at: now - 300_000, digest: two.digest, previous: one.digest, held: true },
      { at: now - 600_000, digest: one.digest, held: false },
    ]);
    await expect(browse.tagHistory('app', 'other')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });
});

describe('an image', () => {
  test('shows its layers, who shares them, and how it runs', async () => {
    await push.image('app', ['v1'], ['base', 'mine'], { labels: { 'vnd.uk.layer.roles': 'kernel,app' } });
    await push.image('app', ['v2'], ['base', 'other']);
    await push.image('elsewhere', ['x'], ['base']);
    const image = await browse.image('app', 'v1');
    expect(image).toMatchObject({ tags: ['v1'], platform: 'linux/amd64', warnings: [] });
    expect(image.run).toMatchObject({
      entrypoint: ['/app'],
      environment: [{ name: 'A', value: 'b=c' }],
      ports: ['80/tcp'],
    });
    expect(image.layers).toMatchObject([
      { number: 0, role: 'kernel', createdBy: 'step 0', sharedBy: { repositories: 1, images: 1, more: false } },
      { number: 1, role: 'app', createdBy: 'step 1', sharedBy: { repositories: 0, images: 0, more: false } },
    ]);
    const base = digestOf('base');
    const shared = await browse.sharing({ repository: 'app', digest: base });
    expect(
      shared.rows.map(({ repository, images }) => [repository, images?.map(({ tags }) => tags[0]).sort()]),
    ).toEqual([
      ['app', ['v1', 'v2']],
      ['elsewhere', ['x']],
    ]);
    const document = await browse.document('app', 'v1', 'config');
    expect(JSON.parse(document.text)).toMatchObject({ os: 'linux' });
    expect((await browse.document('app', 'v1')).descriptors).toHaveLength(3);
  });

  test('whose referrers go round in a ring ends', async () => {
    const image = await push.image('app', ['v1'], ['one']);
    // A digest cannot be known before the document is written, so only tags can close a ring.
    const first = await push.artifact('app', { subject: image, artifactType: 'a/first' });
    const tag = `${first.digest.replace(':', '-')}`;
    await push.index('app', [tag], [image]);
    const tree = await browse.referrers('app', 'v1');
    expect(tree).toMatchObject({ count: 2, more: false });
    expect(tree.referrers[0]?.referrers[0]).toMatchObject({ digest: image.digest, repeated: true, foundBy: 'tag' });
  });
});

describe('space', () => {
  const day = 24 * 60 * 60 * 1000;
  const ready = <T>(made: { state: string; value?: T }): T => {
    if (made.value === undefined) throw new Error(made.state);
    return made.value;
  };

  test('is told apart: own, shared, of old tags only, of no tag', async () => {
    await push.image('app', ['old'], ['shared', 'o'.repeat(1000)]);
    now += 200 * day;
    await push.image('app', ['new'], ['shared', 'n'.repeat(100)]);
    await push.image('app', [], ['u'.repeat(10_000)]);
    await push.image('other', ['x'], ['shared', 'x']);
    const { all, rows } = ready(await browse.space({ sort: 'name' }));
    expect(rows).toMatchObject([
      { name: 'app', blobs: 7, manifests: 3 },
      { name: 'other', blobs: 3 },
    ]);
    const [app] = rows;
    expect(app?.shared).toBe('shared'.length);
    expect(app?.old).toBeGreaterThan(1000);
    expect(app?.old).toBeLessThan(2500);
    expect(app?.untagged).toBeGreaterThan(10_000);
    expect(app?.own).toBe((app?.total ?? 0) - 6);
    expect(all.shared).toBe(6);
    expect(all.total).toBe(rows.reduce((sum, { own }) => sum + own, 6));
    const { tags } = ready(await browse.spaceOf('app'));
    expect(tags).toMatchObject([
      { tag: 'old', old: true },
      { tag: 'new', old: false },
    ]);
    expect(tags[0]?.own).toBe(app?.old);
  });
});
