// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DataReader, ObjectStore } from './contract.ts';

/** How the suite gets the driver it tests. */
export interface StoreUnderTest {
  /** A new, empty store. */
  open(): Promise<ObjectStore>;
  /** A second driver on what `store` works on, as another process would have it; absent where there can be none. */
  second?(store: ObjectStore): Promise<ObjectStore>;
  /** After the store was closed: away with everything. */
  remove(store: ObjectStore): Promise<void>;
}

/** What every driver must do; see `contract.ts`. */
export function storageContract(name: string, subject: StoreUnderTest): void {
  describe(`storage contract: ${name}`, () => {
    let store: ObjectStore;

    beforeEach(async () => {
      store = await subject.open();
    });
    afterEach(async () => {
      await store.close();
      await subject.remove(store);
    });

    const text = async (key: string) => (await store.get(key))?.bytes.toString();
    const tokenOf = async (key: string) => {
      const record = await store.get(key);
      if (record === undefined) throw new Error(`${key} is not there`);
      return record.token;
    };

    describe('records', () => {
      test('are absent, then what was put, then what was put over it, then absent', async () => {
        expect(await store.get('a/b')).toBeUndefined();
        await store.put('a/b', Buffer.from('one'));
        expect(await text('a/b')).toBe('one');
        await store.put('a/b', Buffer.from('two, longer'));
        expect(await text('a/b')).toBe('two, longer');
        expect(await store.delete('a/b')).toBe(true);
        expect(await store.get('a/b')).toBeUndefined();
        expect(await store.delete('a/b')).toBe(false);
      });

      test('hold any bytes, up to 5 MiB', async () => {
        const bytes = randomBytes(5 * 1024 * 1024);
        await store.put('large', bytes);
        expect((await store.get('large'))?.bytes.equals(bytes)).toBe(true);
        await fc.assert(
          fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (some) => {
            await store.put('some', some);
            expect((await store.get('some'))?.bytes.equals(some)).toBe(true);
          }),
          { numRuns: 30 },
        );
      });

      test('are put where absent only once', async () => {
        expect(await store.put('k', Buffer.from('first'), { condition: 'absent' })).toBeTypeOf('string');
        expect(await store.put('k', Buffer.from('second'), { condition: 'absent' })).toBeUndefined();
        expect(await text('k')).toBe('first');
        await store.delete('k');
        expect(await store.put('k', Buffer.from('third'), { condition: 'absent' })).toBeTypeOf('string');
        expect(await text('k')).toBe('third');
      });

      test('are replaced where they match, by the token of put and by that of get', async () => {
        const first = await store.put('k', Buffer.from('1'));
        if (first === undefined) throw new Error('an unconditional put answers a token');
        expect(await tokenOf('k')).toBe(first);
        const second = await store.put('k', Buffer.from('2'), { condition: { ifMatch: first } });
        expect(second).toBeTypeOf('string');
        expect(await store.put('k', Buffer.from('3'), { condition: { ifMatch: first } })).toBeUndefined();
        expect(await text('k')).toBe('2');
        expect(await store.put('k', Buffer.from('3'), { condition: { ifMatch: await tokenOf('k') } })).toBeTypeOf(
          'string',
        );
        expect(await text('k')).toBe('3');
      });

      test('that are absent match no token', async () => {
        const token = await store.put('k', Buffer.from('1'));
        if (token === undefined) throw new Error('an unconditional put answers a token');
        await store.delete('k');
        expect(await store.put('k', Buffer.from('2'), { condition: { ifMatch: token } })).toBeUndefined();
        expect(await store.get('k')).toBeUndefined();
      });

      test('are deleted where they match only', async () => {
        const old = await store.put('k', Buffer.from('1'));
        if (old === undefined) throw new Error('an unconditional put answers a token');
        await store.put('k', Buffer.from('2'));
        expect(await store.delete('k', { ifMatch: old })).toBe(false);
        expect(await text('k')).toBe('2');
        expect(await store.delete('k', { ifMatch: await tokenOf('k') })).toBe(true);
        expect(await store.get('k')).toBeUndefined();
      });

      test('that are not durable are visible all the same', async () => {
        await store.put('k', Buffer.from('soft'), { durable: false });
        expect(await text('k')).toBe('soft');
        expect((await store.list({ prefix: 'x/', limit: 10 })).keys).toEqual([]);
        expect(await store.delete('k', { durable: false })).toBe(true);
        expect(await store.get('k')).toBeUndefined();
      });

      test('cannot be empty', async () => {
        await expect(store.put('k', Buffer.alloc(0))).rejects.toMatchObject({ code: 'KEY_INVALID' });
        expect(await store.get('k')).toBeUndefined();
      });

      test('read again at once show every change, as often as they change', async () => {
        for (let round = 0; round < 200; round += 1) {
          await store.put('hot', Buffer.from(`${round}`), { durable: false });
          expect(await text('hot')).toBe(`${round}`);
          expect(await text('hot')).toBe(`${round}`);
        }
      });
    });

    describe('compare-and-swap', () => {
      test('lets one of many create', async () => {
        const attempts = Array.from({ length: 30 }, (_, at) =>
          store.put('race', Buffer.from(`${at}`), { condition: 'absent' }),
        );
        const won = (await Promise.all(attempts)).flatMap((token, at) => (token === undefined ? [] : at));
        expect(won).toHaveLength(1);
        expect(await text('race')).toBe(`${won[0]}`);
      });

      test('lets one of many replace', async () => {
        const token = await store.put('race', Buffer.from('start'));
        if (token === undefined) throw new Error('an unconditional put answers a token');
        const attempts = Array.from({ length: 30 }, (_, at) =>
          store.put('race', Buffer.from(`${at}`), { condition: { ifMatch: token } }),
        );
        const won = (await Promise.all(attempts)).flatMap((next, at) => (next === undefined ? [] : at));
        expect(won).toHaveLength(1);
        expect(await text('race')).toBe(`${won[0]}`);
      });

      test('lets one of a replacement and a deletion through', async () => {
        for (let round = 0; round < 20; round += 1) {
          const token = await store.put('race', Buffer.from(`start ${round}`));
          if (token === undefined) throw new Error('an unconditional put answers a token');
          const [replaced, deleted] = await Promise.all([
            store.put('race', Buffer.from(`next ${round}`), { condition: { ifMatch: token } }),
            store.delete('race', { ifMatch: token }),
          ]);
          expect((replaced !== undefined) !== deleted).toBe(true);
          expect(await text('race')).toBe(deleted ? undefined : `next ${round}`);
        }
      });

      test('loses no increment of a counter, over several drivers', async () => {
        const other = await subject.second?.(store);
        const drivers = other === undefined ? [store] : [store, other];
        const increment = async (driver: ObjectStore) => {
          for (;;) {
            const old = await driver.get('counter');
            const next = Buffer.from(`${Number(old?.bytes.toString() ?? 0) + 1}`);
            const condition = old === undefined ? 'absent' : { ifMatch: old.token };
            if ((await driver.put('counter', next, { condition, durable: false })) !== undefined) return;
          }
        };
        const work = Array.from({ length: 60 }, (_, at) => increment(drivers[at % drivers.length] ?? store));
        await Promise.all(work);
        expect(await text('counter')).toBe('60');
        await other?.close();
      });

      test('shows a reader whole versions only', async () => {
        const version = (round: number) => Buffer.alloc(50_000 + round, String.fromCharCode(97 + (round % 26)));
        await store.put('whole', version(0));
        let writing = true;
        const reader = async () => {
          let reads = 0;
          while (writing) {
            const bytes = (await store.get('whole'))?.bytes;
            if (bytes === undefined) throw new Error('a replaced record is never absent');
            expect(bytes.equals(version(bytes.length - 50_000))).toBe(true);
            reads += 1;
          }
          return reads;
        };
        const readers = [reader(), reader()];
        for (let round = 1; round < 60; round += 1) await store.put('whole', version(round), { durable: false });
        writing = false;
        for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0);
      });
    });

    describe('keys', () => {
      const illegal = [
        '',
        '/',
        'a/',
        '/a',
        'a//b',
        '.',
        '..',
        'a/../b',
        '../a',
        'a/./b',
        'a\0b',
        'a b',
        'ä',
        'a%2fb',
        'a\\b',
      ];
      for (const key of [...illegal, 'x'.repeat(256), 'y/'.repeat(600).concat('z')]) {
        test(`${JSON.stringify(key.slice(0, 20))} (${key.length}) is refused everywhere`, async () => {
          const refused = { code: 'KEY_INVALID' };
          await expect(store.get(key)).rejects.toMatchObject(refused);
          await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject(refused);
          await expect(store.delete(key)).rejects.toMatchObject(refused);
          await expect(store.beginData(key)).rejects.toMatchObject(refused);
          await expect(store.sizeOfData(key)).rejects.toMatchObject(refused);
          await expect(store.readData(key)).rejects.toMatchObject(refused);
          await expect(store.deleteData(key)).rejects.toMatchObject(refused);
        });
      }

      test('may be as long as the contract says, and hold all it says', async () => {
        for (const key of ['x'.repeat(255), `${'d/'.repeat(400)}e`, 'A-Z/a.b_c/0!', '_a/...', 'a..b/c--']) {
          await store.put(key, Buffer.from(key));
          expect(await text(key)).toBe(key);
        }
      });

      test('beside a folder of the same name, with the marker behind it', async () => {
        await store.put('catalog/a!', Buffer.from('a'));
        await store.put('catalog/a/b!', Buffer.from('a/b'));
        await store.put('catalog/a/b/c!', Buffer.from('a/b/c'));
        expect(await text('catalog/a!')).toBe('a');
        expect(await text('catalog/a/b!')).toBe('a/b');
      });
    });

    describe('list', () => {
      const put = (...keys: string[]) =>
        Promise.all(keys.map((key) => store.put(key, Buffer.from(key), { durable: false })));

      test('is empty where nothing is', async () => {
        expect(await store.list({ prefix: 'nothing/here/', limit: 10 })).toEqual({ keys: [], more: false });
        await store.put('nothing/here/x', Buffer.from('x'));
        await store.delete('nothing/here/x');
        expect(await store.list({ prefix: 'nothing/here/', limit: 10 })).toEqual({ keys: [], more: false });
      });

      test('gives the keys of a folder, and of the folders in it, in byte order', async () => {
        const keys = ['c/a!', 'c/a-b!', 'c/a.b!', 'c/a/b!', 'c/a/b/c!', 'c/a0!', 'c/aB!', 'c/a_b!', 'c/b!'];
        await put(...keys.toReversed(), 'c-/x', 'b/x', 'c0');
        expect(await store.list({ prefix: 'c/', limit: 100 })).toEqual({ keys, more: false });
        expect(await store.list({ prefix: 'c/a/', limit: 100 })).toEqual({ keys: ['c/a/b!', 'c/a/b/c!'], more: false });
      });

      test('pages to the end without a gap, whatever the page', async () => {
        const keys = Array.from(
          { length: 57 },
          (_, at) => `p/${at % 3 === 0 ? 'sub/' : ''}${String(at).padStart(3, '0')}`,
        );
        await put(...keys);
        for (const limit of [1, 2, 10, 56, 57, 58]) {
          const found: string[] = [];
          for (let page = await store.list({ prefix: 'p/', limit }); ; ) {
            expect(page.keys.length).toBeLessThanOrEqual(limit);
            found.push(...page.keys);
            const last = page.keys.at(-1);
            if (!page.more || last === undefined) break;
            page = await store.list({ prefix: 'p/', limit, after: last });
          }
          expect(found).toEqual(keys.toSorted());
        }
      });

      test('begins behind any text', async () => {
        const keys = ['t/A', 't/b', 't/c/d', 't/c/e', 't/c0', 't/z'];
        await put(...keys);
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(
              fc.string(),
              fc.string().map((tail) => `t/${tail}`),
              fc.constantFrom(...keys),
            ),
            async (after) => {
              const page = await store.list({ prefix: 't/', limit: 10, after });
              expect(page.keys).toEqual(keys.filter((key) => key > after));
            },
          ),
        );
      });

      test('of nothing is nothing', async () => {
        await put('t/a');
        expect((await store.list({ prefix: 't/', limit: 0 })).keys).toEqual([]);
      });

      test('shows every change at once', async () => {
        for (let round = 0; round < 50; round += 1) {
          await put(`n/${round}`);
          expect((await store.list({ prefix: 'n/', limit: 100 })).keys).toHaveLength(round + 1);
        }
        for (let round = 0; round < 50; round += 1) {
          await store.delete(`n/${round}`, { durable: false });
          expect((await store.list({ prefix: 'n/', limit: 100 })).keys).toHaveLength(49 - round);
        }
      });
    });

    describe('data', () => {
      const bytes = randomBytes(3_500_000);
      const pieces = (...cuts: number[]) => {
        const ends = [...cuts, bytes.length];
        return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
      };
      async function* from(...chunks: Uint8Array[]) {
        yield* chunks;
      }
      const write = async (key: string, ...appends: Uint8Array[][]) => {
        let state = await store.beginData(key);
        for (const chunks of appends) state = await store.appendData(state, from(...chunks));
        await store.completeData(state);
        return state.key;
      };
      const collect = async (reader: DataReader) => {
        const chunks: Buffer[] = [];
        // Copies: a chunk is gone when the next one comes.
        for await (const chunk of reader) chunks.push(Buffer.from(chunk));
        return Buffer.concat(chunks);
      };
      const read = async (key: string, range?: { start: number; end: number }) => {
        const reader = await store.readData(key, range);
        const found = await collect(reader);
        expect(found.length).toBe(reader.size);
        return found;
      };

      test('comes back whole, however it was cut', async () => {
        for (const [at, cuts] of [[], [1], [1_048_576], [5, 6, 2_000_000], [1_048_575, 2_097_153]].entries()) {
          const one = await write(`data/one-${at}`, pieces(...cuts));
          const many = await write(`data/many-${at}`, ...pieces(...cuts).map((piece) => [piece]));
          for (const key of [one, many]) {
            expect(await store.sizeOfData(key)).toBe(bytes.length);
            expect((await read(key)).equals(bytes)).toBe(true);
          }
        }
      });

      test('may be empty', async () => {
        const key = await write('data/empty');
        expect(await store.sizeOfData(key)).toBe(0);
        expect(await read(key)).toHaveLength(0);
        expect(await read(await write('data/empty-append', []))).toHaveLength(0);
      });

      test('is read in ranges, both ends included', async () => {
        const key = await write('data/ranges', [bytes]);
        const last = bytes.length - 1;
        for (const [start, end] of [
          [0, 0],
          [last, last],
          [1, 1_048_576],
          [1_000_000, 3_000_000],
          [0, last],
        ] as const) {
          expect((await read(key, { start, end })).equals(bytes.subarray(start, end + 1))).toBe(true);
        }
      });

      test('is not there before it is completed', async () => {
        const state = await store.appendData(await store.beginData('data/x'), from(bytes));
        expect(state.size).toBe(bytes.length);
        expect(await store.sizeOfData('data/x')).toBeUndefined();
        await expect(store.readData('data/x')).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
        expect((await store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([]);
        await store.completeData(state);
        expect((await store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([state.key]);
      });

      test('goes on behind its state after an append that broke off', async () => {
        const [first = bytes, second = bytes] = pieces(1_200_000);
        const state = await store.appendData(await store.beginData('data/x'), from(first));
        const breaking = async function* () {
          yield randomBytes(1_500_000);
          throw new Error('the client went away');
        };
        await expect(store.appendData(state, breaking())).rejects.toThrow('the client went away');
        const done = await store.appendData(state, from(second));
        await store.completeData(done);
        expect((await read(done.key)).equals(bytes)).toBe(true);
      });

      test('ends at its state, though an append behind it broke off', async () => {
        const state = await store.appendData(await store.beginData('data/x'), from(bytes));
        const breaking = async function* () {
          yield randomBytes(1_500_000);
          throw new Error('the client went away');
        };
        await expect(store.appendData(state, breaking())).rejects.toThrow('the client went away');
        await store.completeData(state);
        expect((await read(state.key)).equals(bytes)).toBe(true);
      });

      test('that was aborted is gone, and can be aborted again', async () => {
        const state = await store.appendData(await store.beginData('data/x'), from(bytes));
        await store.abortData(state);
        await store.abortData(state);
        await expect(store.completeData(state)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
        await expect(store.appendData(state, from(bytes))).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
        expect(await store.sizeOfData('data/x')).toBeUndefined();
      });

      test('that is complete cannot be written any more', async () => {
        const state = await store.appendData(await store.beginData('data/x'), from(bytes));
        await store.completeData(state);
        await expect(store.appendData(state, from(bytes))).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
        await expect(store.completeData(state)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
        await store.abortData(state);
        expect((await read(state.key)).equals(bytes)).toBe(true);
      });

      test('that was taken over is out of reach of its old writer, at rest', async () => {
        const [first = bytes, second = bytes] = pieces(1_200_000);
        const state = await store.appendData(await store.beginData('data/x'), from(first));
        const taken = await store.takeOverData(state, 'data/y');
        expect(taken.size).toBe(state.size);
        await store.appendData(state, from(randomBytes(10))).catch(() => undefined);
        const done = await store.appendData(taken, from(second));
        await store.completeData(done);
        await store.completeData(state).catch(() => undefined);
        expect((await read(done.key)).equals(bytes)).toBe(true);
      });

      test('that was taken over is out of reach of its old writer, at work', async () => {
        const [first = bytes, second = bytes] = pieces(1_200_000);
        const state = await store.appendData(await store.beginData('data/x'), from(first));
        const { promise: released, resolve: release } = Promise.withResolvers<void>();
        const { promise: started, resolve: start } = Promise.withResolvers<void>();
        const slow = async function* () {
          yield randomBytes(1_100_000);
          start();
          await released;
          yield randomBytes(2_000_000);
        };
        const old = store.appendData(state, slow()).catch(() => undefined);
        await started;
        const taken = await store.takeOverData(state, 'data/y');
        const done = await store.appendData(taken, from(second));
        release();
        await old;
        await store.completeData(done);
        expect((await read(done.key)).equals(bytes)).toBe(true);
      });

      test('stays readable to who reads it while it is deleted', async () => {
        const key = await write('data/x', [bytes]);
        const reader = await store.readData(key);
        expect(await store.deleteData(key)).toBe(true);
        expect((await collect(reader)).equals(bytes)).toBe(true);
        expect(await store.deleteData(key)).toBe(false);
        expect(await store.sizeOfData(key)).toBeUndefined();
        await expect(store.readData(key)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      });

      test('is read by many at once, some of which stop early or never begin', async () => {
        const key = await write('data/x', [bytes]);
        const whole = Array.from({ length: 10 }, () => read(key));
        const early = Array.from({ length: 10 }, async () => {
          for await (const chunk of await store.readData(key)) {
            expect(chunk.equals(bytes.subarray(0, chunk.length))).toBe(true);
            break;
          }
        });
        const never = Array.from({ length: 10 }, async () => {
          await using reader = await store.readData(key);
          expect(reader.size).toBe(bytes.length);
        });
        for (const found of await Promise.all(whole)) expect(found.equals(bytes)).toBe(true);
        await Promise.all([...early, ...never]);
      });

      test('is written by many at once', async () => {
        const keys = await Promise.all(
          Array.from({ length: 12 }, (_, at) =>
            write(`data/many-${at}`, [bytes.subarray(at)], [bytes.subarray(0, at)]),
          ),
        );
        for (const [at, key] of keys.entries()) {
          expect((await read(key)).equals(Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]))).toBe(true);
        }
      });
    });
  });
}
