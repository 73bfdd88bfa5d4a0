// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DataReader, ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { BlobCache } from './blob-cache.ts';

const KIB = 1024;

describe('the cache of blobs', () => {
  let root: string;
  let store: ObjectStore;
  let reads: string[];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'uk-blob-cache-'));
    store = await FilesystemStore.open({ root });
    reads = [];
  });
  afterEach(async () => {
    await store.close();
    await rm(root, { recursive: true });
  });

  const cacheOf = (limit: number) => new BlobCache(store, { limit, onRead: (result) => reads.push(result) });

  async function blob(name: string, size: number) {
    const bytes = randomBytes(size);
    const source = (async function* () {
      yield bytes;
    })();
    const state = await store.appendData(await store.beginData(`data/${name}`), source);
    await store.completeData(state);
    return { data: state.key, size, bytes };
  }

  async function collect(reader: DataReader): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of reader) chunks.push(Buffer.from(chunk));
    const bytes = Buffer.concat(chunks);
    expect(bytes.length).toBe(reader.size);
    return bytes;
  }

  test('takes what is read twice, and gives whole blobs and ranges of it', async () => {
    const one = await blob('one', 300 * KIB);
    const cache = cacheOf(2048 * KIB);
    for (let read = 0; read < 2; read += 1) expect((await collect(await cache.read(one))).equals(one.bytes)).toBe(true);
    await vi.waitFor(async () => {
      await collect(await cache.read(one));
      expect(reads.at(-1)).toBe('hit');
    });
    // The store has it no more: what comes now comes from memory.
    await store.deleteData(one.data);
    expect((await collect(await cache.read(one))).equals(one.bytes)).toBe(true);
    const range = { start: 7, end: 200 * KIB };
    expect((await collect(await cache.read(one, range))).equals(one.bytes.subarray(7, 200 * KIB + 1))).toBe(true);
  });

  test('reads no more ahead at once than a part of what it may keep', async () => {
    const blobs = await Promise.all(Array.from({ length: 20 }, (_, at) => blob(`many-${at}`, 200 * KIB)));
    let loading = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    // Reads of the cache itself, which nobody else iterates.
    const slow: ObjectStore = new Proxy(store, {
      get: (target, name) =>
        name === 'readData'
          ? async (key: string): Promise<DataReader> => ({
              size: 200 * KIB,
              async *[Symbol.asyncIterator]() {
                loading += 1;
                most = Math.max(most, loading);
                await gate.promise;
                loading -= 1;
                yield* await target.readData(key);
              },
              async [Symbol.asyncDispose]() {},
            })
          : Reflect.get(target, name),
    });
    const cache = new BlobCache(slow, { limit: 2048 * KIB });
    for (let round = 0; round < 2; round += 1) for (const one of blobs) await cache.read(one);
    await vi.waitFor(() => expect(most).toBe(2));
    gate.resolve();
    await vi.waitFor(() => expect(loading).toBe(0));
    expect(most).toBe(2);
  });

  test('takes nothing that is large against it, and nothing at all where it is off', async () => {
    const large = await blob('large', 600 * KIB);
    for (const cache of [cacheOf(2048 * KIB), cacheOf(0)]) {
      for (let read = 0; read < 5; read += 1) await collect(await cache.read(large));
    }
    expect(reads).toEqual([]);
    await store.deleteData(large.data);
    await expect(cacheOf(2048 * KIB).read(large)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
  });

  test('stays within its limit: the least recently used goes', async () => {
    const blobs = await Promise.all(Array.from({ length: 6 }, (_, at) => blob(`n${at}`, 400 * KIB)));
    const cache = cacheOf(2000 * KIB);
    for (const each of blobs) {
      await vi.waitFor(async () => {
        await collect(await cache.read(each));
        expect(reads.at(-1)).toBe('hit');
      });
    }
    reads = [];
    for (const each of blobs) await collect(await cache.read(each));
    expect(reads.filter((result) => result === 'hit').length).toBeLessThanOrEqual(5);
    expect(reads[0]).toBe('miss');
  });
});
