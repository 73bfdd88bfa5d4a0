// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type StoreUnderTest, useStore } from './store-under-test.ts';

/** Which keys there are, and how they are listed. */
export function keysContract(subject: StoreUnderTest): void {
  const its = useStore(subject);
  const text = async (key: string) => (await its.store.get(key))?.bytes.toString();

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
        await expect(its.store.get(key)).rejects.toMatchObject(refused);
        await expect(its.store.put(key, Buffer.from('x'))).rejects.toMatchObject(refused);
        await expect(its.store.delete(key)).rejects.toMatchObject(refused);
        await expect(its.store.beginData(key)).rejects.toMatchObject(refused);
        await expect(its.store.sizeOfData(key)).rejects.toMatchObject(refused);
        await expect(its.store.readData(key)).rejects.toMatchObject(refused);
        await expect(its.store.deleteData(key)).rejects.toMatchObject(refused);
      });
    }

    test('may be as long as the contract says, and hold all it says', async () => {
      for (const key of ['x'.repeat(255), `${'d/'.repeat(400)}e`, 'A-Z/a.b_c/0!', '_a/...', 'a..b/c--']) {
        await its.store.put(key, Buffer.from(key));
        expect(await text(key)).toBe(key);
      }
    });

    test('beside a folder of the same name, with the marker behind it', async () => {
      await its.store.put('catalog/a!', Buffer.from('a'));
      await its.store.put('catalog/a/b!', Buffer.from('a/b'));
      await its.store.put('catalog/a/b/c!', Buffer.from('a/b/c'));
      expect(await text('catalog/a!')).toBe('a');
      expect(await text('catalog/a/b!')).toBe('a/b');
    });
  });

  describe('list', () => {
    const put = (...keys: string[]) =>
      Promise.all(keys.map((key) => its.store.put(key, Buffer.from(key), { durable: false })));

    test('is empty where nothing is', async () => {
      expect(await its.store.list({ prefix: 'nothing/here/', limit: 10 })).toEqual({ keys: [], more: false });
      await its.store.put('nothing/here/x', Buffer.from('x'));
      await its.store.delete('nothing/here/x');
      expect(await its.store.list({ prefix: 'nothing/here/', limit: 10 })).toEqual({ keys: [], more: false });
    });

    test('gives the keys of a folder, and of the folders in it, in byte order', async () => {
      const keys = ['c/a!', 'c/a-b!', 'c/a.b!', 'c/a/b!', 'c/a/b/c!', 'c/a0!', 'c/aB!', 'c/a_b!', 'c/b!'];
      await put(...keys.toReversed(), 'c-/x', 'b/x', 'c0');
      expect(await its.store.list({ prefix: 'c/', limit: 100 })).toEqual({ keys, more: false });
      expect(await its.store.list({ prefix: 'c/a/', limit: 100 })).toEqual({
        keys: ['c/a/b!', 'c/a/b/c!'],
        more: false,
      });
    });

    test('pages to the end without a gap, whatever the page', async () => {
      const keys = Array.from(
        { length: 57 },
        (_, at) => `p/${at % 3 === 0 ? 'sub/' : ''}${String(at).padStart(3, '0')}`,
      );
      await put(...keys);
      for (const limit of [1, 2, 10, 56, 57, 58]) {
        const found: string[] = [];
        for (let page = await its.store.list({ prefix: 'p/', limit }); ; ) {
          expect(page.keys.length).toBeLessThanOrEqual(limit);
          found.push(...page.keys);
          const last = page.keys.at(-1);
          if (!page.more || last === undefined) break;
          page = await its.store.list({ prefix: 'p/', limit, after: last });
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
            const page = await its.store.list({ prefix: 't/', limit: 10, after });
            expect(page.keys).toEqual(keys.filter((key) => key > after));
          },
        ),
      );
    });

    test('of nothing is nothing', async () => {
      await put('t/a');
      expect((await its.store.list({ prefix: 't/', limit: 0 })).keys).toEqual([]);
    });

    test('shows every change at once', async () => {
      for (let round = 0; round < 50; round += 1) {
        await put(`n/${round}`);
        expect((await its.store.list({ prefix: 'n/', limit: 100 })).keys).toHaveLength(round + 1);
      }
      for (let round = 0; round < 50; round += 1) {
        await its.store.delete(`n/${round}`, { durable: false });
        expect((await its.store.list({ prefix: 'n/', limit: 100 })).keys).toHaveLength(49 - round);
      }
    });
  });
}
