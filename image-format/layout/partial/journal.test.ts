// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCK_SIZE, Journal } from './journal.ts';

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-journal-'));
  path = join(dir, 'journal');
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

const SIZE = 100 * BLOCK_SIZE;
/** What a journal says in one boot of the machine. */
async function read(boot: string | undefined): Promise<number[]> {
  const { journal, blocks } = await Journal.open(path, SIZE, boot);
  await journal.close();
  return [...blocks].sort((a, b) => a - b);
}
/** Blocks 5, 6 and 7, of which 5 and 6 are on the disk. */
async function write(): Promise<void> {
  const { journal } = await Journal.open(path, SIZE, 'one');
  await journal.append(5);
  await journal.append(6);
  const { position } = journal;
  await journal.append(7);
  await journal.markSynced(position);
  await journal.close();
}

describe('a journal', () => {
  test('after a kill holds all that was written', async () => {
    await write();
    expect(await read('one')).toEqual([5, 6, 7]);
    expect(await read('one')).toEqual([5, 6, 7]);
  });

  test('after a loss of power holds what the disk had taken before the last mark', async () => {
    await write();
    expect(await read('two')).toEqual([5, 6]);
    expect(await read('two')).toEqual([5, 6]);
  });

  test('where nobody knows about boots never holds more than the mark', async () => {
    await write();
    expect(await read(undefined)).toEqual([5, 6]);
    expect(await read(undefined)).toEqual([5, 6]);
  });

  test('goes on after a loss of power', async () => {
    await write();
    const { journal } = await Journal.open(path, SIZE, 'two');
    await journal.append(9);
    await journal.markSynced(journal.position);
    await journal.append(10);
    await journal.close();
    expect(await read('two')).toEqual([5, 6, 9, 10]);
    expect(await read('three')).toEqual([5, 6, 9]);
  });

  test('of a blob of another size says nothing', async () => {
    await write();
    const { journal, blocks } = await Journal.open(path, SIZE + 1, 'one');
    await journal.close();
    expect(blocks.size).toBe(0);
  });

  test('many records at once are all written, in order', async () => {
    const { journal } = await Journal.open(path, SIZE, 'one');
    await Promise.all(Array.from({ length: 100 }, (_, block) => journal.append(block)));
    await journal.close();
    expect(await read('one')).toHaveLength(100);
  });

  test('whatever becomes of its bytes, it names no block that it was not told of', async () => {
    await write();
    const whole = await readFile(path);
    const damage = fc.tuple(fc.nat(whole.length), fc.uint8Array({ maxLength: 40 }), fc.nat(whole.length));
    await fc.assert(
      fc.asyncProperty(damage, fc.constantFrom('one', 'two'), async ([at, bytes, end], boot) => {
        const damaged = Buffer.from(whole.subarray(0, Math.max(end, at + bytes.length)));
        damaged.set(bytes.subarray(0, Math.max(0, damaged.length - at)), at);
        await writeFile(path, damaged);
        expect([5, 6, 7]).toEqual(expect.arrayContaining(await read(boot)));
      }),
      { numRuns: 200 },
    );
  });
});
