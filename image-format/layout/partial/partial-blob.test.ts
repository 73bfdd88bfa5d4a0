// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, readlink, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../digest.ts';
import { type ContentStore, openContentStore } from '../index.ts';
import { BLOCK_SIZE } from './journal.ts';
import type { PartialBlob } from './partial-blob.ts';

let dir: string;
let store: ContentStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-partial-'));
  store = await openContentStore(dir);
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

const bytes = randomBytes(5 * BLOCK_SIZE + 1000);
const expected = { digest: digestOf(bytes), size: bytes.length };
const partials = async () => await readdir(join(dir, 'partial')).catch(() => []);

/** Writes what is missing, each gap from its own bytes. */
async function fillAll(blob: PartialBlob, from = bytes): Promise<void> {
  for (const { start, end } of blob.gaps(2 * BLOCK_SIZE).reverse()) {
    await blob.writer(start).write(from.subarray(start, end));
  }
}
/** Receives some bytes from the start, then stops as a cut line does. */
async function fillSome(amount: number, from = bytes): Promise<void> {
  const cut = new Error('cut');
  await expect(
    store.receive(expected, async (blob) => {
      await blob.writer(0).write(from.subarray(0, amount));
      throw cut;
    }),
  ).rejects.toBe(cut);
}
const free = () => join(dir, 'partial', `sha256-${expected.digest.slice(7)}.free`);

describe('a partial blob', () => {
  test('is filled in any order, and then is a blob like any other', async () => {
    expect(await store.receive(expected, fillAll)).toBe('received');
    expect((await readFile(await store.path(expected.digest))).equals(bytes)).toBe(true);
    expect((await stat(await store.path(expected.digest))).mode & 0o777).toBe(0o444);
    expect(await partials()).toEqual([]);
    const never = () => Promise.reject(new Error('filled again'));
    expect(await store.receive(expected, never)).toBe('exists');
  });

  test('goes on where it stopped; an unfinished block comes again', async () => {
    await fillSome(3 * BLOCK_SIZE + 5);
    expect(await partials()).toHaveLength(1);
    expect(await store.partlyReceived(expected.digest)).toBeGreaterThanOrEqual(3 * BLOCK_SIZE);
    await store.receive(expected, async (blob) => {
      expect(blob.resumed).toBe(3 * BLOCK_SIZE);
      expect(blob.gaps(bytes.length)).toEqual([{ start: 3 * BLOCK_SIZE, end: bytes.length }]);
      await fillAll(blob);
    });
    expect((await store.read(expected.digest)).equals(bytes)).toBe(true);
  });

  test.each([
    ['data that never reached the disk', async () => await truncate(join(free(), 'data'), BLOCK_SIZE + 7), 1],
    ['a record that was cut', async () => await truncate(join(free(), 'journal'), 64 + 2 * 8 + 5), 2],
    ['a record that was altered', async () => await alter(join(free(), 'journal'), 64 + 3), 2],
    ['a journal that is something else', async () => await writeFile(join(free(), 'journal'), 'x'.repeat(100)), 0],
  ])('of a crash: %s costs that block only', async (_what, damage, left) => {
    await fillSome(3 * BLOCK_SIZE);
    await damage();
    await store.receive(expected, async (blob) => {
      expect(blob.resumed).toBe(left * BLOCK_SIZE);
      await fillAll(blob);
    });
    expect((await store.read(expected.digest)).equals(bytes)).toBe(true);
  });

  test('a block that was altered is found out at the end, and all is received again', async () => {
    await fillSome(3 * BLOCK_SIZE);
    await alter(join(free(), 'data'), BLOCK_SIZE + 9);
    const asked: boolean[] = [];
    await store.receive(expected, fillAll, { onMismatch: (resumed) => asked.push(resumed) > 0 });
    expect(asked).toEqual([true]);
    expect((await store.read(expected.digest)).equals(bytes)).toBe(true);
  });

  test('wrong bytes are thrown away, and get no name', async () => {
    const wrong = Buffer.from(bytes);
    wrong[BLOCK_SIZE] = (wrong[BLOCK_SIZE] ?? 0) ^ 1;
    await expect(store.receive(expected, (blob) => fillAll(blob, wrong))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(await store.stat(expected.digest)).toBeUndefined();
    expect(await partials()).toEqual([]);
  });

  test('wrong bytes of an earlier call are received again', async () => {
    await fillSome(2 * BLOCK_SIZE, Buffer.alloc(bytes.length));
    const asked: boolean[] = [];
    await store.receive(expected, (blob) => fillAll(blob), {
      onMismatch: (resumed) => {
        asked.push(resumed);
        return true;
      },
    });
    expect(asked).toEqual([true]);
    expect((await store.read(expected.digest)).equals(bytes)).toBe(true);
  });

  test('one that is not whole is not taken', async () => {
    await expect(store.receive(expected, async () => {})).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });

  test('of another size it begins anew', async () => {
    await fillSome(BLOCK_SIZE);
    const smaller = { ...expected, size: bytes.length - 1 };
    await expect(
      store.receive(smaller, async (blob) => {
        expect(blob.resumed).toBe(0);
        await fillAll(blob);
      }),
    ).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('the second who wants it waits for the first', async () => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const first = store.receive(expected, async (blob) => {
      begun.resolve();
      await gate.promise;
      await fillAll(blob);
    });
    await begun.promise;
    const second = store.receive(expected, () => Promise.reject(new Error('filled twice')));
    setTimeout(gate.resolve, 50);
    expect(await Promise.all([first, second])).toEqual(['received', 'exists']);
  });

  test('of two that begin at the same moment both end well', async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => store.receive(expected, fillAll)));
    expect(outcomes.filter((outcome) => outcome === 'received')).toHaveLength(1);
    expect(await partials()).toEqual([]);
  });

  test('that of a process which is gone is taken over, that of a living one is not', async () => {
    await fillSome(2 * BLOCK_SIZE);
    await rename(free(), free().replace('free', '1-1-1-aa'));
    const abort = AbortSignal.timeout(300);
    await expect(store.receive(expected, fillAll, { signal: abort })).rejects.toThrow();
    await rename(free().replace('free', '1-1-1-aa'), free().replace('free', `${await namespace()}-999999999-1-aa`));
    await store.receive(expected, async (blob) => {
      expect(blob.resumed).toBe(2 * BLOCK_SIZE);
      await fillAll(blob);
    });
    expect(await partials()).toEqual([]);
  });
});

async function alter(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await file.close();
}

async function namespace(): Promise<string> {
  return /\d+/.exec(await readlink('/proc/self/ns/pid'))?.[0] ?? '0';
}
