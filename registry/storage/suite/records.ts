// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '../contract.ts';
import { type StoreUnderTest, useStore } from './store-under-test.ts';

/** Records: put, get, delete, and who wins where several want to. */
export function recordsContract(subject: StoreUnderTest): void {
  const its = useStore(subject);
  const text = async (key: string) => (await its.store.get(key))?.bytes.toString();
  const tokenOf = async (key: string) => {
    const record = await its.store.get(key);
    if (record === undefined) throw new Error(`${key} is not there`);
    return record.token;
  };

  describe('records', () => {
    test('are absent, then what was put, then what was put over it, then absent', async () => {
      expect(await its.store.get('a/b')).toBeUndefined();
      await its.store.put('a/b', Buffer.from('one'));
      expect(await text('a/b')).toBe('one');
      await its.store.put('a/b', Buffer.from('two, longer'));
      expect(await text('a/b')).toBe('two, longer');
      expect(await its.store.delete('a/b')).toBe(true);
      expect(await its.store.get('a/b')).toBeUndefined();
      expect(await its.store.delete('a/b')).toBe(false);
    });

    test('hold any bytes, up to 5 MiB', async () => {
      const bytes = randomBytes(5 * 1024 * 1024);
      await its.store.put('large', bytes);
      expect((await its.store.get('large'))?.bytes.equals(bytes)).toBe(true);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (some) => {
          await its.store.put('some', some);
          expect((await its.store.get('some'))?.bytes.equals(some)).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    test('are put where absent only once', async () => {
      expect(await its.store.put('k', Buffer.from('first'), { condition: 'absent' })).toBeTypeOf('string');
      expect(await its.store.put('k', Buffer.from('second'), { condition: 'absent' })).toBeUndefined();
      expect(await text('k')).toBe('first');
      await its.store.delete('k');
      expect(await its.store.put('k', Buffer.from('third'), { condition: 'absent' })).toBeTypeOf('string');
      expect(await text('k')).toBe('third');
    });

    test('are replaced where they match, by the token of put and by that of get', async () => {
      const first = await its.store.put('k', Buffer.from('1'));
      if (first === undefined) throw new Error('an unconditional put answers a token');
      expect(await tokenOf('k')).toBe(first);
      const second = await its.store.put('k', Buffer.from('2'), { condition: { ifMatch: first } });
      expect(second).toBeTypeOf('string');
      expect(await its.store.put('k', Buffer.from('3'), { condition: { ifMatch: first } })).toBeUndefined();
      expect(await text('k')).toBe('2');
      expect(await its.store.put('k', Buffer.from('3'), { condition: { ifMatch: await tokenOf('k') } })).toBeTypeOf(
        'string',
      );
      expect(await text('k')).toBe('3');
    });

    test('that are absent match no token', async () => {
      const token = await its.store.put('k', Buffer.from('1'));
      if (token === undefined) throw new Error('an unconditional put answers a token');
      await its.store.delete('k');
      expect(await its.store.put('k', Buffer.from('2'), { condition: { ifMatch: token } })).toBeUndefined();
      expect(await its.store.get('k')).toBeUndefined();
    });

    test('are deleted where they match only', async () => {
      const old = await its.store.put('k', Buffer.from('1'));
      if (old === undefined) throw new Error('an unconditional put answers a token');
      await its.store.put('k', Buffer.from('2'));
      expect(await its.store.delete('k', { ifMatch: old })).toBe(false);
      expect(await text('k')).toBe('2');
      expect(await its.store.delete('k', { ifMatch: await tokenOf('k') })).toBe(true);
      expect(await its.store.get('k')).toBeUndefined();
    });

    test('that are not durable are visible all the same', async () => {
      await its.store.put('k', Buffer.from('soft'), { durable: false });
      expect(await text('k')).toBe('soft');
      expect((await its.store.list({ prefix: 'x/', limit: 10 })).keys).toEqual([]);
      expect(await its.store.delete('k', { durable: false })).toBe(true);
      expect(await its.store.get('k')).toBeUndefined();
    });

    test('cannot be empty', async () => {
      await expect(its.store.put('k', Buffer.alloc(0))).rejects.toMatchObject({ code: 'KEY_INVALID' });
      expect(await its.store.get('k')).toBeUndefined();
    });

    test('read again at once show every change, as often as they change', async () => {
      for (let round = 0; round < 200; round += 1) {
        await its.store.put('hot', Buffer.from(`${round}`), { durable: false });
        expect(await text('hot')).toBe(`${round}`);
        expect(await text('hot')).toBe(`${round}`);
      }
    });
  });

  describe('compare-and-swap', () => {
    test('lets one of many create', async () => {
      const attempts = Array.from({ length: 30 }, (_, at) =>
        its.store.put('race', Buffer.from(`${at}`), { condition: 'absent' }),
      );
      const won = (await Promise.all(attempts)).flatMap((token, at) => (token === undefined ? [] : at));
      expect(won).toHaveLength(1);
      expect(await text('race')).toBe(`${won[0]}`);
    });

    test('lets one of many replace', async () => {
      const token = await its.store.put('race', Buffer.from('start'));
      if (token === undefined) throw new Error('an unconditional put answers a token');
      const attempts = Array.from({ length: 30 }, (_, at) =>
        its.store.put('race', Buffer.from(`${at}`), { condition: { ifMatch: token } }),
      );
      const won = (await Promise.all(attempts)).flatMap((next, at) => (next === undefined ? [] : at));
      expect(won).toHaveLength(1);
      expect(await text('race')).toBe(`${won[0]}`);
    });

    test('lets one of a replacement and a deletion through', async () => {
      for (let round = 0; round < 20; round += 1) {
        const token = await its.store.put('race', Buffer.from(`start ${round}`));
        if (token === undefined) throw new Error('an unconditional put answers a token');
        const [replaced, deleted] = await Promise.all([
          its.store.put('race', Buffer.from(`next ${round}`), { condition: { ifMatch: token } }),
          its.store.delete('race', { ifMatch: token }),
        ]);
        expect((replaced !== undefined) !== deleted).toBe(true);
        expect(await text('race')).toBe(deleted ? undefined : `next ${round}`);
      }
    });

    test('loses no increment of a counter, over several drivers', async () => {
      const other = await subject.second?.(its.store);
      const drivers = other === undefined ? [its.store] : [its.store, other];
      const increment = async (driver: ObjectStore) => {
        for (;;) {
          const old = await driver.get('counter');
          const next = Buffer.from(`${Number(old?.bytes.toString() ?? 0) + 1}`);
          const condition = old === undefined ? 'absent' : { ifMatch: old.token };
          if ((await driver.put('counter', next, { condition, durable: false })) !== undefined) return;
        }
      };
      const work = Array.from({ length: 60 }, (_, at) => increment(drivers[at % drivers.length] ?? its.store));
      await Promise.all(work);
      expect(await text('counter')).toBe('60');
      await other?.close();
    });

    test('shows a reader whole versions only', async () => {
      const version = (round: number) => Buffer.alloc(50_000 + round, String.fromCharCode(97 + (round % 26)));
      await its.store.put('whole', version(0));
      let writing = true;
      const reader = async () => {
        let reads = 0;
        while (writing) {
          const bytes = (await its.store.get('whole'))?.bytes;
          if (bytes === undefined) throw new Error('a replaced record is never absent');
          expect(bytes.equals(version(bytes.length - 50_000))).toBe(true);
          reads += 1;
        }
        return reads;
      };
      const readers = [reader(), reader()];
      for (let round = 1; round < 60; round += 1) await its.store.put('whole', version(round), { durable: false });
      writing = false;
      for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0);
    });
  });
}
