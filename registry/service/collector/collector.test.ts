// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { FilesystemStore } from '../../storage/filesystem/index.ts';
import { createService, type Service } from '../index.ts';
import { blobLinkKey, COLLECTION_KEY, freshDataKey, manifestKey, taggedKey, tagKey } from '../keys.ts';
import { parseBlobLink } from '../records.ts';
import { type CollectionOptions, type CollectorOptions, createCollector } from './index.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

let root: string;
let store: ObjectStore;
let service: Service;
let now: number;
let ids: number;
const surroundings = { now: () => now, uniqueId: () => `id-${++ids}` };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-collector-'));
  store = await FilesystemStore.open({ root });
  now = 1_700_000_000_000;
  ids = 0;
  service = createService(store, {}, surroundings);
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

const collect = (options: CollectionOptions = {}, policy: CollectorOptions = {}) =>
  createCollector(store, policy, surroundings).run(options);
/** Once to condemn, once more when that has settled, and a day later for the last traces. */
const collectAll = async () => {
  for (let run = 0; run < 3; run += 1) {
    now += 2 * DAY;
    await collect();
  }
};
const body = (text: string) => ({
  source: (async function* () {
    if (text !== '') yield Buffer.from(text);
  })(),
  length: text.length,
});
const upload = async (repository: string, text: string) => {
  await service.uploads.whole(repository, digestOf(text), body(text));
  return digestOf(text);
};
const manifestOf = (layers: string[], more: object = {}) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: MEDIA_TYPE.empty, digest: digestOf('{}'), size: 2 },
      layers: layers.map((text) => ({ mediaType: MEDIA_TYPE.layer, digest: digestOf(text), size: text.length })),
      ...more,
    }),
  );
const push = async (repository: string, tags: string[], layers: string[], more: object = {}) => {
  for (const text of ['{}', ...layers]) await upload(repository, text);
  const pushed = { bytes: manifestOf(layers, more), contentType: undefined, tags };
  return (await service.manifests.put(repository, pushed)).digest;
};
const has = async (repository: string, digest: Digest) => (await service.blobs.find(repository, digest)) !== undefined;
const keys = async (prefix: string) => (await store.list({ prefix, limit: 1000 })).keys;
const isCondemned = async (repository: string, digest: Digest) => {
  const key = blobLinkKey(repository, digest);
  const stored = await store.get(key);
  return stored !== undefined && parseBlobLink(stored, key).condemned !== undefined;
};

describe('a collection', () => {
  test('takes the blobs that no manifest names, when they have been condemned for a while, and no others', async () => {
    const manifest = await push('one', ['t'], ['kept']);
    const left = await upload('one', 'left over');
    now += 2 * DAY;
    expect((await collect()).counts).toMatchObject({ linksCondemned: 1, linksDeleted: 0, blobsDeleted: 0 });
    expect(await has('one', left)).toBe(true);
    expect((await collect()).counts).toMatchObject({ linksCondemned: 0, linksDeleted: 0 });
    now += 2 * HOUR;
    const { outcome, counts, problems } = await collect();
    expect({ outcome, problems }).toEqual({ outcome: 'finished', problems: [] });
    expect(counts).toMatchObject({ repositories: 1, manifests: 1, links: 3, linksDeleted: 1, blobsDeleted: 1 });
    expect(counts.bytesFreed).toBe('left over'.length);
    expect(await has('one', left)).toBe(false);
    expect(await keys('data/')).toHaveLength(2);
    for (const text of ['{}', 'kept']) expect(await has('one', digestOf(text))).toBe(true);
    expect((await service.manifests.get('one', { tag: 't' })).digest).toBe(manifest);
  });

  test('with nothing to settle does both at once', async () => {
    await upload('one', 'left over');
    now += 2 * DAY;
    expect((await collect({}, { settleMs: 0 })).counts).toMatchObject({ linksDeleted: 1, blobsDeleted: 1 });
    expect(await keys('data/')).toEqual([]);
  });

  test('leaves alone what was brought just now', async () => {
    const young = await upload('one', 'young');
    now += 23 * HOUR;
    expect((await collect({}, { settleMs: 0 })).counts).toMatchObject({ linksCondemned: 0, blobsCondemned: 0 });
    expect(await has('one', young)).toBe(true);
  });

  test('goes by the repository: a blob goes where nothing names it, and stays where something does', async () => {
    await push('one', ['t'], ['shared']);
    const shared = await upload('two', 'shared');
    await collectAll();
    expect([await has('one', shared), await has('two', shared)]).toEqual([true, false]);
    await service.manifests.delete('one', (await service.manifests.get('one', { tag: 't' })).digest);
    await collectAll();
    expect(await keys('data/')).toEqual([]);
    expect(await keys('blobs/')).toEqual([]);
    expect(await keys('blob-repositories/')).toEqual([]);
  });

  test('keeps the layers that a manifest may do without, once the repository has them', async () => {
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
    const layer = { mediaType: foreign, digest: digestOf('foreign'), size: 'foreign'.length };
    await upload('one', 'foreign');
    await push('one', [], [], { layers: [layer] });
    await collectAll();
    expect(await has('one', digestOf('foreign'))).toBe(true);
  });

  for (const [how, revive] of [
    ['brought again', (digest: Digest) => upload('one', 'condemned').then(() => digest)],
    ['mounted', (digest: Digest) => service.blobs.mount('one', digest, 'one')],
    ['asked for', (digest: Digest) => service.blobs.getToRely('one', digest)],
    [
      'named',
      async () => {
        await upload('one', '{}');
        await service.manifests.put('one', { bytes: manifestOf(['condemned']), contentType: undefined, tags: [] });
      },
    ],
  ] as const) {
    test(`spares what was condemned and is ${how}`, async () => {
      const digest = await upload('one', 'condemned');
      now += 2 * DAY;
      await collect();
      expect(await isCondemned('one', digest)).toBe(true);
      now += 2 * HOUR;
      await revive(digest);
      expect(await isCondemned('one', digest)).toBe(false);
      await collect({}, { settleMs: HOUR });
      expect(await has('one', digest)).toBe(true);
    });
  }

  test('that is only tried changes nothing, and tells what would have gone', async () => {
    await upload('one', 'left over');
    now += 2 * DAY;
    await collect();
    now += 2 * HOUR;
    const all = async () => {
      const folders = ['blobs/', 'blob-repositories/', 'collector/', 'data/', 'repositories/'];
      const found = (await Promise.all(folders.map(keys))).flat();
      return Promise.all(found.map(async (key) => [key, (await store.get(key))?.token]));
    };
    const before = await all();
    const tried = await collect({ dryRun: true });
    expect(await all()).toEqual(before);
    // The data that is still there when all data is looked through is not in both.
    expect({ ...(await collect()).counts, data: 1 }).toEqual({ ...tried.counts });
    expect(tried.counts.bytesFreed).toBe('left over'.length);
  });

  test('touches nothing of a repository with a damaged manifest, and says so', async () => {
    const digest = await push('one', [], ['layer']);
    const left = await upload('one', 'left over');
    await upload('two', 'left over too');
    await store.put(manifestKey('one', digest), Buffer.from('{}\nnot what it was'));
    now += 2 * DAY;
    const { problems, counts } = await collect({}, { settleMs: 0 });
    expect(problems).toEqual([{ where: 'one', message: expect.stringContaining('damaged') }]);
    expect(await has('one', left)).toBe(true);
    expect(counts.blobsDeleted).toBe(1);
  });

  test('takes data that nothing names, when it is a day old, but not that of an upload', async () => {
    const complete = async () => {
      const begun = await store.beginData(freshDataKey(surroundings));
      await store.completeData(await store.appendData(begun, body('lost').source));
      return begun.key;
    };
    await complete();
    await store.appendData(await store.beginData(freshDataKey(surroundings)), body('unfinished').source);
    const id = await service.uploads.start('one');
    await service.uploads.append('one', id, body('half '));
    expect((await collect()).counts).toMatchObject({ leftDataDeleted: 0 });
    // Unfinished data has the time of the machine that it is on.
    now = Date.now() + 2 * DAY;
    const young = await complete();
    const { counts } = await collect({}, { uploadIdleMs: Number.POSITIVE_INFINITY });
    expect(counts).toMatchObject({ leftDataDeleted: 2, bytesFreed: 'lost'.length });
    expect(await keys('data/')).toEqual([young]);
    await service.uploads.finish('one', id, digestOf('half full'), body('full'));
    expect(await has('one', digestOf('half full'))).toBe(true);
  });

  test('takes what a crash or a deletion left of tags and manifests', async () => {
    const digest = await push('one', ['t'], ['layer'], { subject: undefined });
    const { version } = await service.manifests.get('one', { tag: 't' });
    await service.manifests.delete('one', digest);
    // Of a push that died after it had been overtaken by the deletion.
    await store.put(tagKey('one', 't'), Buffer.from(JSON.stringify({ digest, version })));
    await store.put(taggedKey('one', digest, 't'), Buffer.from(JSON.stringify({ version })));
    expect((await service.tags.list('one', 10)).names).toEqual(['t']);
    await collect();
    expect((await service.tags.list('one', 10)).names).toEqual([]);
    expect(await keys('repositories/one/_tagged/')).toEqual([]);
    expect(await keys('repositories/one/_manifests/')).toHaveLength(1);
    await collectAll();
    expect(await keys('repositories/one/_manifests/')).toEqual([]);
  });

  test('bounds the history of a tag', async () => {
    for (let move = 0; move < 6; move += 1) {
      now += 1000;
      await push('one', ['t'], [`layer ${move}`]);
    }
    const moves = await keys('repositories/one/_tag-history/');
    await collect({}, { historyKept: 2 });
    expect(await keys('repositories/one/_tag-history/')).toEqual(moves.slice(-2));
  });

  test('finds every repository, whether or not it ever held a manifest, and none twice', async () => {
    const names = ['a', 'a-b', 'a/0', 'a/b', 'a/b/c', 'b'];
    for (const name of names) {
      await upload(name, 'blob');
      if (name < 'a/b') await push(name, ['t'], []);
    }
    const seen: string[] = [];
    await collect({ onProgress: ({ stage, after }) => stage === 'repositories' && seen.push(after ?? '') });
    expect([...new Set(seen)].filter((name) => name !== '').toSorted()).toEqual(names.toSorted());
  });
});

describe('a collection that is interrupted', () => {
  test('is gone on with where it was', async () => {
    for (const name of ['a', 'b', 'c']) await upload(name, `left in ${name}`);
    now += 2 * DAY;
    const ending = new AbortController();
    const first = collect(
      { signal: ending.signal, onProgress: ({ after }) => after === 'a' && ending.abort(new Error('enough')) },
      { settleMs: 0 },
    );
    await expect(first).rejects.toThrow('enough');
    const after: (string | undefined)[] = [];
    const second = await collect({ onProgress: (progress) => after.push(progress.after) }, { settleMs: 0 });
    expect(second).toMatchObject({ outcome: 'finished', resumed: true });
    expect(after).not.toContain('a');
    expect(await keys('data/')).toEqual([]);
    expect(await keys('collector/')).toEqual([]);
  });

  test('is waited for until it is surely dead; or it is told to make room', async () => {
    for (const name of ['a', 'b']) await upload(name, `left in ${name}`);
    now += 2 * DAY;
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const slow: ObjectStore = new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (name === 'get' && `${args[0]}`.includes('/_blobs/')) {
            begin();
            await held;
          }
          return member.apply(target, args);
        };
      },
    });
    const first = createCollector(slow, {}, surroundings).run();
    await begun;
    expect((await collect()).outcome).toBe('busy');
    expect(await collect({ takeOver: true })).toMatchObject({ outcome: 'finished' });
    now += 10 * 60 * 1000;
    letGo();
    expect((await first).outcome).toBe('superseded');
    expect(await store.get(COLLECTION_KEY)).toBeUndefined();
  });
});
