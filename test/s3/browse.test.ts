// SPDX-License-Identifier: Apache-2.0
// Browsing on S3: what one replica changes, another shows; an index is made once for all.
import { setTimeout as wait } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MEDIA_TYPE } from '../../image-format/index.ts';
import { type Browse, createBrowse, type Made } from '../../registry/browse/index.ts';
import { Pusher, tarOf } from '../../registry/browse/testing.ts';
import { createService } from '../../registry/service/index.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import { freshPrefix } from './server.ts';

let stores: S3Store[];
let push: Pusher;
let browse: Browse;
let other: Browse;

beforeAll(async () => {
  const options = freshPrefix();
  stores = [await S3Store.open(options), await S3Store.open(options)];
  const services = stores.map((store) => createService(store));
  // Both were made just now.
  const [first, second] = services as [(typeof services)[0], (typeof services)[0]];
  push = new Pusher(first);
  browse = createBrowse({ store: stores[0] as S3Store, service: first });
  other = createBrowse({ store: stores[1] as S3Store, service: second });
});
afterAll(async () => {
  await browse.close();
  await other.close();
  for (const store of stores) await store.close();
});

async function soon<T>(ask: () => Promise<Made<T>>): Promise<T> {
  for (;;) {
    const made = await ask();
    if (made.state === 'ready') return made.value;
    if (made.state === 'refused') throw new Error(made.reason.message);
    await wait(50);
  }
}

test('what one replica pushes, another shows', async () => {
  await push.image('team/app', ['v1'], ['one']);
  expect((await other.repositories()).rows).toMatchObject([{ name: 'team/app', tags: 1 }]);
  const image = await push.image('team/app', ['v2'], ['two']);
  await push.artifact('team/app', { subject: image, artifactType: 'application/vnd.cncf.notary.signature' });
  await push.image('team/new', ['v1'], ['one']);
  // An answer about a repository that changes just now may be a second old.
  await wait(1_600);
  expect((await other.tags('team/app')).rows).toMatchObject([
    { tag: 'v2', signed: true },
    { tag: 'v1', signed: false },
  ]);
  const pushed = await other.repositories({ sort: 'pushed' });
  expect(pushed.rows.map(({ name }) => name)).toEqual(['team/new', 'team/app']);
  expect((await other.image('team/app', 'v1')).layers[0]?.sharedBy).toMatchObject({ repositories: 1 });
});

test('the files of a layer are listed once for all replicas, compressed or not', async () => {
  const layer = tarOf([{ path: 'etc/name', content: 'words' }]);
  await push.image('files', ['plain'], [layer]);
  await push.image('files', ['zstd'], [zstdCompressSync(layer)], { mediaType: MEDIA_TYPE.layerZstd });
  for (const reference of ['plain', 'zstd']) {
    const place = { repository: 'files', reference };
    const [mine, theirs] = await Promise.all([
      soon(() => browse.file(place, 'etc/name')),
      soon(() => other.file(place, 'etc/name')),
    ]);
    expect(mine).toMatchObject({ view: 'text', content: 'words' });
    expect(theirs).toEqual(mine);
  }
  const [store] = stores;
  expect((await store?.list({ prefix: 'layer-files/', limit: 10 }))?.keys).toHaveLength(2);
});

test('space is measured once, and shown by both', async () => {
  const { all } = await soon(() => browse.space());
  expect(await soon(() => other.space())).toMatchObject({ all });
});
