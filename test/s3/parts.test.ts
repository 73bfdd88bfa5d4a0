// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DataState, ObjectStore } from '../../registry/storage/contract.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import type { S3Options } from '../../registry/storage/s3/options.ts';
import { freshPrefix, pathsBelow, testServer } from './server.ts';

/** Data of more than a part: the contract's suite does not know where that begins. */
const PART = 5 * 1024 * 1024;
const MIB = 1024 * 1024;

let options: S3Options;
let store: S3Store;
beforeEach(async () => {
  options = freshPrefix({ partSize: PART });
  store = await S3Store.open(options);
});
afterEach(() => store.close());

async function* from(...chunks: Uint8Array[]) {
  yield* chunks;
}
/** As the record of an upload session keeps it. */
const kept = (state: DataState): DataState => JSON.parse(JSON.stringify(state));
const append = async (on: ObjectStore, state: DataState, ...chunks: Uint8Array[]) =>
  kept(await on.appendData(state, from(...chunks)));
const read = async (key: string) => {
  const chunks: Buffer[] = [];
  for await (const chunk of await store.readData(key)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};
const left = () => pathsBelow(`${options.prefix}/`);
const unknown = { code: 'DATA_UNKNOWN' };

describe('data of many parts', () => {
  test('comes back whole, however it was cut, from whichever process', async () => {
    const other = await S3Store.open(options);
    const bytes = randomBytes(23 * MIB + 5);
    for (const [at, cuts] of [
      [PART, 2 * PART, 3 * PART],
      [1, PART + 1, PART + 2, 3 * PART],
      [PART - 1, PART, 4 * PART + 17],
      [7 * MIB, 12 * MIB, 12 * MIB + 1, 23 * MIB],
    ].entries()) {
      let state = await store.beginData(`data/${at}`);
      for (const [step, end] of [...cuts, bytes.length].entries()) {
        state = await append(step % 2 === 0 ? store : other, state, bytes.subarray(state.size, end));
        expect(state.size).toBe(end);
      }
      await other.completeData(state);
      expect((await read(`data/${at}`)).equals(bytes)).toBe(true);
    }
    expect(await left()).toEqual([0, 1, 2, 3].map((at) => `objects/data/${at}`));
    expect(await Array.fromAsync(store.unfinishedData())).toEqual([]);
    await other.close();
  });

  test('that is completed by who wrote its end needs no tail', async () => {
    const bytes = randomBytes(11 * MIB);
    for (const [at, first] of [0, 1, 6 * MIB].entries()) {
      let state = await store.beginData(`data/${at}`);
      if (first > 0) state = await append(store, state, bytes.subarray(0, first));
      state = await store.appendData(state, from(bytes.subarray(first)), { completes: () => true });
      await store.completeData(state);
      expect((await read(`data/${at}`)).equals(bytes)).toBe(true);
    }
    expect(await left()).toEqual([0, 1, 2].map((at) => `objects/data/${at}`));
  });

  test('whose end is in the memory of another process is unknown, and what was kept before is good', async () => {
    const bytes = randomBytes(7 * MIB);
    const before = await append(store, await store.beginData('data/x'), bytes.subarray(0, 6 * MIB));
    const promised = await store.appendData(before, from(bytes.subarray(6 * MIB)), { completes: () => true });
    await expect(store.completeData(kept(promised))).rejects.toMatchObject(unknown);
    await store.completeData(await append(store, before, bytes.subarray(6 * MIB)));
    expect((await read('data/x')).equals(bytes)).toBe(true);
  });

  test('goes on behind its state after an append of several parts that broke off', async () => {
    const bytes = randomBytes(13 * MIB);
    const breaking = async function* () {
      yield randomBytes(12 * MIB);
      throw new Error('the client went away');
    };
    const begun = await store.beginData('data/x');
    await expect(store.appendData(begun, breaking())).rejects.toThrow('the client went away');
    let state = await append(store, begun, bytes.subarray(0, 6 * MIB));
    await expect(store.appendData(state, breaking())).rejects.toThrow('the client went away');
    state = await append(store, state, bytes.subarray(6 * MIB));
    await store.completeData(state);
    expect((await read('data/x')).equals(bytes)).toBe(true);
    expect(await Array.fromAsync(store.unfinishedData())).toEqual([]);
  });

  test('ends at its state, though an append of several parts behind it broke off', async () => {
    const bytes = randomBytes(12 * MIB);
    const breaking = async function* () {
      yield randomBytes(12 * MIB);
      throw new Error('the client went away');
    };
    for (const size of [10 * MIB + 1, 12 * MIB]) {
      const state = await append(store, await store.beginData(`data/${size}`), bytes.subarray(0, size));
      await expect(store.appendData(state, breaking())).rejects.toThrow('the client went away');
      await store.completeData(state);
      expect((await read(`data/${size}`)).equals(bytes.subarray(0, size))).toBe(true);
    }
    expect(await Array.fromAsync(store.unfinishedData())).toEqual([]);
  });

  test('that is aborted gives everything back', async () => {
    const state = await append(store, await store.beginData('data/x'), randomBytes(12 * MIB));
    expect((await Array.fromAsync(store.unfinishedData())).map((one) => one.state.key)).toEqual(['data/x']);
    await store.abortData(state);
    expect(await Array.fromAsync(store.unfinishedData())).toEqual([]);
    expect(await left()).toEqual([]);
    await expect(store.completeData(state)).rejects.toMatchObject(unknown);
    await expect(store.appendData(state, from(randomBytes(1)))).rejects.toMatchObject(unknown);
  });

  test('that is found unfinished is aborted by its key alone, and what is whole stays', async () => {
    const bytes = randomBytes(6 * MIB);
    await store.completeData(await append(store, await store.beginData('data/whole'), bytes));
    await append(store, await store.beginData('data/x'), randomBytes(12 * MIB));
    await append(store, await store.beginData('data/y'), randomBytes(1000));
    const found = await Array.fromAsync(store.unfinishedData());
    expect(found.map((one) => one.state.key).toSorted()).toEqual(['data/x', 'data/y']);
    for (const { state } of found) await store.abortData(kept(state));
    await store.abortData({ key: 'data/whole', size: 0 });
    expect(await left()).toEqual(['objects/data/whole']);
  });
});

describe('data of many parts that is taken over', () => {
  const first = randomBytes(12 * MIB);
  const second = randomBytes(6 * MIB);
  const whole = Buffer.concat([first, second]);
  let state: DataState;
  beforeEach(async () => {
    state = await append(store, await store.beginData('data/x'), first);
  });

  test('is out of reach of its old writer, whatever that one does', async () => {
    const taken = kept(await store.takeOverData(state, 'data/y'));
    expect([taken.key, taken.size]).toEqual(['data/y', state.size]);
    await expect(store.appendData(state, from(randomBytes(7 * MIB)))).rejects.toMatchObject(unknown);
    await expect(store.completeData(state)).rejects.toMatchObject(unknown);
    await store.abortData(state);
    await store.completeData(await append(store, taken, second));
    expect((await read('data/y')).equals(whole)).toBe(true);
    expect(await left()).toEqual(['objects/data/y']);
  });

  test('is out of reach of its old writer in the middle of an append', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const slow = async function* () {
      yield randomBytes(6 * MIB);
      start();
      await released;
      yield randomBytes(6 * MIB);
    };
    const old = store.appendData(state, slow());
    const ended = old.catch((error) => error);
    await started;
    const taken = await store.takeOverData(state, 'data/y');
    release();
    expect(await ended).toMatchObject(unknown);
    await store.completeData(await append(store, taken, second));
    expect((await read('data/y')).equals(whole)).toBe(true);
  });

  test('goes to the taker or to its old writer, never to both', async () => {
    for (let round = 0; round < 6; round += 1) {
      const [old, fresh] = [`data/old-${round}`, `data/new-${round}`];
      const begun = await append(store, await store.beginData(old), first);
      const [completed, taken] = await Promise.allSettled([
        store.completeData(begun),
        store.takeOverData(begun, fresh),
      ]);
      expect([completed.status, taken.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      if (taken.status === 'rejected') {
        expect(taken.reason).toMatchObject(unknown);
        expect((await read(old)).equals(first)).toBe(true);
      } else {
        await store.completeData(await append(store, taken.value, second));
        expect((await read(fresh)).equals(whole)).toBe(true);
      }
    }
  });

  test('can be taken over again where the taker died before it told anybody', async () => {
    await store.takeOverData(state, 'data/y');
    const taken = await store.takeOverData(state, 'data/z');
    const again = kept(await store.takeOverData(kept(await append(store, taken, second)), 'data/zz'));
    await store.completeData(again);
    expect((await read('data/zz')).equals(whole)).toBe(true);
  });

  test('leaves nothing when the take-over came no further, and the upload is given up', async () => {
    await store.takeOverData(state, 'data/y');
    await store.abortData(state);
    for (const one of await Array.fromAsync(store.unfinishedData())) await store.abortData(one.state);
    expect(await left()).toEqual([]);
  });
});

describe('what clients read by themselves', () => {
  test('is there for a while, and is what it should be', async () => {
    expect(store.urlOfData).toBeUndefined();
    const redirecting = await S3Store.open({ ...options, redirect: true });
    const bytes = randomBytes(6 * MIB);
    await store.completeData(await append(store, await store.beginData('data/x'), bytes));
    const url = (await redirecting.urlOfData?.('data/x', 60)) ?? '';
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    const range = await fetch(url, { headers: { Range: 'bytes=5-9' } });
    expect([range.status, Buffer.from(await range.arrayBuffer())]).toEqual([206, bytes.subarray(5, 10)]);
    expect(url).not.toContain(testServer().secretAccessKey);
    expect((await fetch(url.replace('data/x', 'data/y'))).status).toBe(403);
    await redirecting.close();
  });
});

const gigabytes = Number(process.env.UK_TEST_S3_LARGE ?? 0);
test.skipIf(gigabytes === 0)(
  `data of ${gigabytes || 6} GB comes back whole${gigabytes === 0 ? ' (skipped: set UK_TEST_S3_LARGE to gigabytes)' : ''}`,
  { timeout: 3_600_000 },
  async () => {
    const block = randomBytes(MIB);
    const blocks = gigabytes * 1000;
    const source = async function* (begin: number, end: number) {
      for (let at = begin; at < end; at += 1) yield block;
    };
    const large = await S3Store.open(freshPrefix());
    let state = await large.appendData(await large.beginData('data/large'), source(0, blocks / 2));
    state = await large.appendData(kept(state), source(blocks / 2, blocks));
    await large.completeData(state);
    expect(await large.sizeOfData('data/large')).toBe(blocks * MIB);
    let bytes = 0;
    for await (const chunk of await large.readData('data/large')) {
      const at = bytes % MIB;
      const same = chunk.subarray(0, MIB - at).equals(block.subarray(at, at + chunk.length));
      if (!same) throw new Error(`other bytes at ${bytes}`);
      bytes += chunk.length;
    }
    expect(bytes).toBe(blocks * MIB);
    await large.deleteData('data/large');
    await large.close();
  },
);
