// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createService, type Service } from './index.ts';
import { blobKey, manifestKey, taggedKey, tagKey, uploadKey } from './keys.ts';
import { type BlobRecord, encode, parseBlob } from './records.ts';
import { SYSTEM } from './surroundings.ts';

const buffer = async (reader: AsyncIterable<Buffer>) => {
  const chunks: Buffer[] = [];
  for await (const chunk of reader) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

const HOUR = 60 * 60 * 1000;

let root: string;
let store: ObjectStore;
let service: Service;
let now: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-service-'));
  store = await FilesystemStore.open({ root });
  now = Date.now();
  service = createService(store, {}, { ...SYSTEM, now: () => now });
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

async function* from(text: string) {
  yield Buffer.from(text);
}
const body = (text: string) => ({ source: from(text), length: text.length });
const upload = async (repository: string, text: string) => {
  await service.uploads.whole(repository, digestOf(text), body(text));
  return digestOf(text);
};
const record = async (digest: Digest) => {
  const stored = await store.get(blobKey(digest));
  if (stored === undefined) throw new Error('there is no such record');
  return { blob: parseBlob(stored, ''), token: stored.token };
};
/** What a collector does in one of its steps. */
const become = async (digest: Digest, state: BlobRecord['state']) => {
  const { blob, token } = await record(digest);
  const next = { ...blob, state, epoch: blob.epoch + 1 };
  if ((await store.put(blobKey(digest), encode(next), { condition: { ifMatch: token } })) === undefined) return false;
  if (state === 'deleted') await store.deleteData(blob.data);
  return true;
};
const manifest = (...layers: string[]) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: MEDIA_TYPE.empty, digest: digestOf('{}'), size: 2 },
      layers: layers.map((text) => ({ mediaType: MEDIA_TYPE.layer, digest: digestOf(text), size: text.length })),
    }),
  );
const push = async (repository: string, tag: string, ...layers: string[]) => {
  for (const text of ['{}', ...layers]) await upload(repository, text);
  return service.manifests.put(repository, { bytes: manifest(...layers), contentType: undefined, tags: [tag] });
};

describe('blobs', () => {
  test('brought twice are stored once', async () => {
    const digest = await upload('one', 'the same bytes');
    const first = (await record(digest)).blob;
    await upload('two', 'the same bytes');
    expect((await record(digest)).blob).toEqual(first);
    expect((await store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([first.data]);
  });

  test('that are relied on after an hour are renewed', async () => {
    const digest = await upload('one', 'x');
    const first = (await record(digest)).blob;
    now += 2 * HOUR;
    expect(await service.blobs.mount('two', digest, 'one')).toBe(true);
    const second = (await record(digest)).blob;
    expect(second).toMatchObject({ epoch: first.epoch + 1, renewed: now, data: first.data });
  });

  for (const [how, revive] of [
    ['an upload', (digest: Digest) => upload('two', 'condemned').then(() => digest)],
    ['a mount', (digest: Digest) => service.blobs.mount('two', digest, 'one')],
    [
      'a manifest',
      async (_: Digest) => {
        await upload('one', '{}');
        await service.manifests.put('one', { bytes: manifest('condemned'), contentType: undefined, tags: [] });
      },
    ],
  ] as const) {
    test(`that are condemned still serve, and live again by ${how}: the collector fails`, async () => {
      const digest = await upload('one', 'condemned');
      await become(digest, 'condemned');
      const { token } = await record(digest);
      expect((await service.blobs.get('one', digest)).state).toBe('condemned');
      await revive(digest);
      const { blob } = await record(digest);
      expect(blob.state).toBe('live');
      const gone = encode({ ...blob, state: 'deleted' });
      expect(await store.put(blobKey(digest), gone, { condition: { ifMatch: token } })).toBeUndefined();
    });
  }

  test('that were collected are gone everywhere, and come back only where they are brought again', async () => {
    const digest = await upload('one', 'collected');
    await upload('two', 'collected');
    await become(digest, 'condemned');
    await become(digest, 'deleted');
    for (const repository of ['one', 'two']) {
      await expect(service.blobs.get(repository, digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
    }
    expect(await service.blobs.mount('three', digest, 'one')).toBe(false);
    expect(await service.blobs.mount('three', digest)).toBe(false);
    await upload('one', '{}');
    const needs = { bytes: manifest('collected'), contentType: undefined, tags: ['t'] };
    await expect(service.manifests.put('one', needs)).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' });
    await upload('one', 'collected');
    const bytes = await buffer(await service.blobs.read(await service.blobs.get('one', digest)));
    expect(bytes.toString()).toBe('collected');
    await expect(service.blobs.get('two', digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  test('whose data went missing are repaired by who brings it again', async () => {
    const digest = await upload('one', 'lost');
    await store.deleteData((await record(digest)).blob.data);
    await upload('one', 'lost');
    const bytes = await buffer(await service.blobs.read(await service.blobs.get('one', digest)));
    expect(bytes.toString()).toBe('lost');
  });
});

describe('manifests', () => {
  test('that the collector robs of a blob in the middle of their push are not acknowledged', async () => {
    await upload('one', '{}');
    const digest = await upload('one', 'robbed');
    // As soon as the tag is written, which is after the first look at the blobs.
    const robbing: ObjectStore = new Proxy(store, {
      get(target, name) {
        if (name === 'put') {
          return async (...put: Parameters<ObjectStore['put']>) => {
            const token = await target.put(...put);
            if (put[0] === tagKey('one', 't')) {
              await become(digest, 'condemned');
              await become(digest, 'deleted');
            }
            return token;
          };
        }
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const robbed = createService(robbing);
    const pushing = robbed.manifests.put('one', { bytes: manifest('robbed'), contentType: undefined, tags: ['t'] });
    await expect(pushing).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' });
  });

  test('that are deleted in the middle of their push are pushed anew: no tag stays without its manifest', async () => {
    const { digest } = await push('one', 'other', 'layer');
    let deletions = 1;
    const deleting: ObjectStore = new Proxy(store, {
      get(target, name) {
        if (name === 'put') {
          return async (...put: Parameters<ObjectStore['put']>) => {
            if (put[0] === taggedKey('one', digest, 't') && deletions-- > 0) {
              await service.manifests.delete('one', digest);
            }
            return target.put(...put);
          };
        }
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    await createService(deleting).manifests.put('one', {
      bytes: manifest('layer'),
      contentType: undefined,
      tags: ['t'],
    });
    expect((await service.manifests.get('one', { tag: 't' })).digest).toBe(digest);
    expect((await service.tags.list('one', 10)).names).toEqual(['t']);
  });

  test('of which a crash left a tag without its manifest: the tag is not there, nor does it come back', async () => {
    const { digest } = await push('one', 't', 'layer');
    const key = manifestKey('one', digest);
    const version = (await service.manifests.get('one', { tag: 't' })).version;
    // A deletion that got no further than its first step.
    await store.put(key, Buffer.from(`${JSON.stringify({ version: version + 1, deleted: true })}\n`));
    await expect(service.manifests.get('one', { tag: 't' })).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    await push('one', 'other', 'layer');
    await expect(service.manifests.get('one', { tag: 't' })).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect((await service.manifests.get('one', { tag: 'other' })).digest).toBe(digest);
    // The next deletion finishes the one that was interrupted.
    await service.manifests.delete('one', digest);
    expect((await service.tags.list('one', 10)).names).toEqual([]);
  });

  test('pushed again after a crash in the middle are whole', async () => {
    for (const text of ['{}', 'layer']) await upload('one', text);
    const bytes = manifest('layer');
    for (let steps = 0; steps < 12; steps += 1) {
      let left = steps;
      const crashing: ObjectStore = new Proxy(store, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            if (name === 'put' && left-- <= 0) throw new Error('kill -9');
            return member.apply(target, args);
          };
        },
      });
      const tag = `t${steps}`;
      const manifests = createService(crashing).manifests;
      await manifests.put('one', { bytes, contentType: undefined, tags: [tag] }).catch(() => undefined);
      await service.manifests.put('one', { bytes, contentType: undefined, tags: [tag] });
      expect((await service.manifests.get('one', { tag })).bytes.equals(bytes)).toBe(true);
      await service.manifests.delete('one', digestOf(bytes));
      expect((await service.tags.list('one', 10)).names).toEqual([]);
    }
  });

  test('keep where their tags pointed before', async () => {
    const { digest: first } = await push('one', 't', 'first');
    now += 1000;
    const { digest: second } = await push('one', 't', 'second');
    await service.manifests.untag('one', 't');
    const { keys } = await store.list({ prefix: 'repositories/one/_tag-history/t/', limit: 10 });
    const history = await Promise.all(keys.map(async (key) => JSON.parse(`${(await store.get(key))?.bytes}`)));
    const moves = history.map(({ digest, previous }) => [previous, digest]);
    expect(moves[0]).toEqual([undefined, first]);
    expect(moves.slice(1)).toEqual(
      expect.arrayContaining([
        [first, second],
        [second, undefined],
      ]),
    );
  });
});

describe('uploads', () => {
  test('that nobody touched are given up, with their bytes; the others stay', async () => {
    const old = await service.uploads.start('one');
    await service.uploads.append('one', old, body('old bytes'));
    now += 5 * HOUR;
    const fresh = await service.uploads.start('one');
    await service.uploads.append('one', fresh, body('fresh bytes'));
    now += HOUR;
    expect(await service.uploads.expire(2 * HOUR)).toBe(1);
    await expect(service.uploads.offset('one', old)).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' });
    await service.uploads.finish('one', fresh, digestOf('fresh bytes'), body(''));
    expect(await service.uploads.expire(0)).toBe(0);
  });

  test('may go on in another process, and be closed in a third', async () => {
    const processes = [0, 1, 2].map(() => createService(store).uploads);
    const [first = service.uploads, second = service.uploads, third = service.uploads] = processes;
    const id = await first.start('one');
    expect(await first.append('one', id, body('hop '), 0)).toBe(4);
    expect(await second.append('one', id, body('and '), 4)).toBe(8);
    await third.finish('one', id, digestOf('hop and jump'), body('jump'), 8);
    expect((await service.blobs.get('one', digestOf('hop and jump'))).size).toBe(12);
  });

  test('in several processes with bytes that are not what they should be are refused, and leave nothing', async () => {
    const id = await service.uploads.start('one');
    await createService(store).uploads.append('one', id, body('hop '));
    await createService(store).uploads.append('one', id, body('and '));
    const closing = createService(store).uploads.finish('one', id, digestOf('another thing'), body('jump'));
    await expect(closing).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect((await store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([]);
    expect(await store.get(uploadKey(id))).toBeUndefined();
  });

  test('of a process that died while it wrote go on where it had stopped before', async () => {
    const id = await service.uploads.start('one');
    await service.uploads.append('one', id, body('good '));
    const dying = createService(store).uploads;
    const endless = async function* () {
      yield Buffer.from('bad bytes that nobody ');
      await new Promise(() => undefined);
    };
    void dying.append('one', id, { source: endless() });
    // The dying request has the upload by now, and never gives it back.
    await expect.poll(async () => (await store.get(uploadKey(id)))?.bytes.includes('writer')).toBe(true);
    expect(await service.uploads.append('one', id, body('bytes'), 5)).toBe(10);
    await service.uploads.finish('one', id, digestOf('good bytes'), body(''));
    const blob = await service.blobs.get('one', digestOf('good bytes'));
    expect((await buffer(await service.blobs.read(blob))).toString()).toBe('good bytes');
  });
});
