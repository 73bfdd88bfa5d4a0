// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DataReader } from '../contract.ts';
import { type StoreUnderTest, useStore } from './store-under-test.ts';

/** Data: written in appends, read in chunks, taken over, broken off. */
export function dataContract(subject: StoreUnderTest): void {
  const its = useStore(subject);

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
      let state = await its.store.beginData(key);
      for (const chunks of appends) state = await its.store.appendData(state, from(...chunks));
      await its.store.completeData(state);
      return state.key;
    };
    const collect = async (reader: DataReader) => {
      const chunks: Buffer[] = [];
      // Copies: a chunk is gone when the next one comes.
      for await (const chunk of reader) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    };
    const read = async (key: string, range?: { start: number; end: number }) => {
      const reader = await its.store.readData(key, range);
      const found = await collect(reader);
      expect(found.length).toBe(reader.size);
      return found;
    };

    test('comes back whole, however it was cut', async () => {
      for (const [at, cuts] of [[], [1], [1_048_576], [5, 6, 2_000_000], [1_048_575, 2_097_153]].entries()) {
        const one = await write(`data/one-${at}`, pieces(...cuts));
        const many = await write(`data/many-${at}`, ...pieces(...cuts).map((piece) => [piece]));
        for (const key of [one, many]) {
          expect(await its.store.sizeOfData(key)).toBe(bytes.length);
          expect((await read(key)).equals(bytes)).toBe(true);
        }
      }
    });

    test('may be empty', async () => {
      const key = await write('data/empty');
      expect(await its.store.sizeOfData(key)).toBe(0);
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
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(bytes));
      expect(state.size).toBe(bytes.length);
      expect(await its.store.sizeOfData('data/x')).toBeUndefined();
      await expect(its.store.readData('data/x')).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      expect((await its.store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([]);
      await its.store.completeData(state);
      expect((await its.store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([state.key]);
    });

    test('goes on behind its state after an append that broke off', async () => {
      const [first = bytes, second = bytes] = pieces(1_200_000);
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(first));
      const breaking = async function* () {
        yield randomBytes(1_500_000);
        throw new Error('the client went away');
      };
      await expect(its.store.appendData(state, breaking())).rejects.toThrow('the client went away');
      const done = await its.store.appendData(state, from(second));
      await its.store.completeData(done);
      expect((await read(done.key)).equals(bytes)).toBe(true);
    });

    test('ends at its state, though an append behind it broke off', async () => {
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(bytes));
      const breaking = async function* () {
        yield randomBytes(1_500_000);
        throw new Error('the client went away');
      };
      await expect(its.store.appendData(state, breaking())).rejects.toThrow('the client went away');
      await its.store.completeData(state);
      expect((await read(state.key)).equals(bytes)).toBe(true);
    });

    test('that is unfinished can be found and aborted', async () => {
      const begunAt = Date.now() - 5000;
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(bytes));
      await write('data/whole', [bytes]);
      const found = await Array.fromAsync(its.store.unfinishedData());
      expect(found.map((one) => one.state.key)).toEqual([state.key]);
      for (const one of found) {
        expect(one.touched).toBeGreaterThan(begunAt);
        await its.store.abortData(one.state);
      }
      expect(await Array.fromAsync(its.store.unfinishedData())).toEqual([]);
      await expect(its.store.completeData(state)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
    });

    test('that was aborted is gone, and can be aborted again', async () => {
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(bytes));
      await its.store.abortData(state);
      await its.store.abortData(state);
      await expect(its.store.completeData(state)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      await expect(its.store.appendData(state, from(bytes))).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      expect(await its.store.sizeOfData('data/x')).toBeUndefined();
    });

    test('that is complete cannot be written any more', async () => {
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(bytes));
      await its.store.completeData(state);
      await expect(its.store.appendData(state, from(bytes))).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      await expect(its.store.completeData(state)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
      await its.store.abortData(state);
      expect((await read(state.key)).equals(bytes)).toBe(true);
    });

    test('that was taken over is out of reach of its old writer, at rest', async () => {
      const [first = bytes, second = bytes] = pieces(1_200_000);
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(first));
      const taken = await its.store.takeOverData(state, 'data/y');
      expect(taken.size).toBe(state.size);
      await its.store.appendData(state, from(randomBytes(10))).catch(() => undefined);
      const done = await its.store.appendData(taken, from(second));
      await its.store.completeData(done);
      await its.store.completeData(state).catch(() => undefined);
      expect((await read(done.key)).equals(bytes)).toBe(true);
    });

    test('that was taken over is out of reach of its old writer, at work', async () => {
      const [first = bytes, second = bytes] = pieces(1_200_000);
      const state = await its.store.appendData(await its.store.beginData('data/x'), from(first));
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const { promise: started, resolve: start } = Promise.withResolvers<void>();
      const slow = async function* () {
        yield randomBytes(1_100_000);
        start();
        await released;
        yield randomBytes(2_000_000);
      };
      const old = its.store.appendData(state, slow()).catch(() => undefined);
      await started;
      const taken = await its.store.takeOverData(state, 'data/y');
      const done = await its.store.appendData(taken, from(second));
      release();
      await old;
      await its.store.completeData(done);
      expect((await read(done.key)).equals(bytes)).toBe(true);
    });

    test('stays readable to who reads it while it is deleted', async () => {
      const key = await write('data/x', [bytes]);
      const reader = await its.store.readData(key);
      expect(await its.store.deleteData(key)).toBe(true);
      expect((await collect(reader)).equals(bytes)).toBe(true);
      expect(await its.store.deleteData(key)).toBe(false);
      expect(await its.store.sizeOfData(key)).toBeUndefined();
      await expect(its.store.readData(key)).rejects.toMatchObject({ code: 'DATA_UNKNOWN' });
    });

    test('is read by many at once, some of which stop early or never begin', async () => {
      const key = await write('data/x', [bytes]);
      const whole = Array.from({ length: 10 }, () => read(key));
      const early = Array.from({ length: 10 }, async () => {
        for await (const chunk of await its.store.readData(key)) {
          expect(chunk.equals(bytes.subarray(0, chunk.length))).toBe(true);
          break;
        }
      });
      const never = Array.from({ length: 10 }, async () => {
        await using reader = await its.store.readData(key);
        expect(reader.size).toBe(bytes.length);
      });
      for (const found of await Promise.all(whole)) expect(found.equals(bytes)).toBe(true);
      await Promise.all([...early, ...never]);
    });

    test('is written by many at once', async () => {
      const keys = await Promise.all(
        Array.from({ length: 12 }, (_, at) => write(`data/many-${at}`, [bytes.subarray(at)], [bytes.subarray(0, at)])),
      );
      for (const [at, key] of keys.entries()) {
        expect((await read(key)).equals(Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]))).toBe(true);
      }
    });
  });
}
