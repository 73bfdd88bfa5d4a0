// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../registry/storage/contract.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import { keysContract } from '../../registry/storage/suite/keys.ts';
import { recordsContract } from '../../registry/storage/suite/records.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { bareTagStore, ignoringStore } from './odd-stores.ts';
import { freshPrefix, pathsBelow } from './server.ts';

let deaf: FaultProxy;
let halfDeaf: FaultProxy;
let bare: FaultProxy;

beforeAll(async () => {
  deaf = await ignoringStore(['PUT', 'DELETE']);
  halfDeaf = await ignoringStore(['DELETE']);
  bare = await bareTagStore();
});
afterAll(async () => {
  await deaf.close();
  await halfDeaf.close();
  await bare.close();
});

describe('the probe', () => {
  test('finds what the real store can do, and leaves nothing behind', async () => {
    const options = freshPrefix();
    const store = await S3Store.open(options);
    expect(store.capabilities).toMatchObject({ conditionalPut: true, md5Tags: true });
    await store.close();
    expect(await pathsBelow(`${options.prefix}/`)).toEqual([]);
  });

  test('refuses a store that ignores conditions, and says what to do', async () => {
    await expect(S3Store.open(freshPrefix({ endpoint: deaf.endpoint }))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringMatching(/ignores conditional writes/),
      hint: expect.stringMatching(/exclusive/),
    });
  });

  test('takes it for the only server there is', async () => {
    const store = await S3Store.open(freshPrefix({ endpoint: deaf.endpoint, exclusive: true }));
    expect(store.capabilities.conditionalPut).toBe(false);
    await store.close();
  });

  test('finds out that tags are wanted without their quotes', async () => {
    const store = await S3Store.open(freshPrefix({ endpoint: bare.endpoint }));
    expect(store.capabilities).toMatchObject({ conditionalPut: true, quotesTags: false });
    await store.close();
  });

  test('sees that only deletions ignore conditions, which is good enough', async () => {
    const store = await S3Store.open(freshPrefix({ endpoint: halfDeaf.endpoint }));
    expect(store.capabilities).toMatchObject({ conditionalPut: true, conditionalDelete: false });
    await store.close();
  });
});

const through = (proxy: () => FaultProxy, exclusive: boolean) => ({
  open: () => S3Store.open(freshPrefix({ endpoint: proxy().endpoint, exclusive })),
  remove: async (_: ObjectStore) => undefined,
});

// What such a store changes is how records are written and deleted, and which of them a listing shows.
for (const [name, proxy, exclusive] of [
  ['s3 without conditions, one server', () => deaf, true],
  ['s3 without conditional deletion', () => halfDeaf, false],
  ['s3 that wants tags without quotes', () => bare, false],
] as const) {
  describe(`storage contract: ${name}: records`, () => recordsContract(through(proxy, exclusive)));
  describe(`storage contract: ${name}: keys`, () => keysContract(through(proxy, exclusive)));
}
