// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownerName } from '../../image-format/layout/process-owner.ts';
import { ASSEMBLER_VERSION, AssemblyCache } from './cache.ts';

let folder: string;
let cache: AssemblyCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-cache-'));
  cache = new AssemblyCache(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const KEY = `sha256:${'0'.repeat(64)}`;

async function make(text: string): Promise<void> {
  await cache.make('layer', KEY, async (temporary) => {
    await writeFile(join(temporary, 'file'), text);
    return { text };
  });
}

test('what was made is found again, with its files', async () => {
  expect(await cache.find('layer', KEY)).toBeUndefined();
  await make('one');
  expect(await cache.find('layer', KEY)).toEqual({ text: 'one' });
  expect(await readFile(cache.file('layer', KEY, 'file'), 'utf8')).toBe('one');
  expect(await cache.find('kernel', KEY)).toBeUndefined();
  expect((await cache.keys('layer')).map((key) => key.replace('-', ':'))).toEqual([KEY]);
});

describe('an entry that is damaged is none, and is made again', () => {
  test.each([
    ['cut', (file: string) => truncate(file, 1)],
    ['rewritten', (file: string) => writeFile(file, 'two')],
    ['lost', (file: string) => rm(file)],
    ['touched', (file: string) => utimes(file, 1, 1)],
    ['without its record', (file: string) => rm(join(file, '../entry.json'))],
    ['with half a record', (file: string) => truncate(join(file, '../entry.json'), 9)],
  ])('%s', async (_how, damage) => {
    await make('one');
    await damage(cache.file('layer', KEY, 'file'));
    expect(await cache.find('layer', KEY)).toBeUndefined();
    await make('three');
    expect(await cache.find('layer', KEY)).toEqual({ text: 'three' });
    expect(await readFile(cache.file('layer', KEY, 'file'), 'utf8')).toBe('three');
  });
});

test('who fails leaves nothing', async () => {
  const failing = cache.make('layer', KEY, async (temporary) => {
    await writeFile(join(temporary, 'file'), 'half');
    throw new Error('in the middle');
  });
  await expect(failing).rejects.toThrow('in the middle');
  expect(await cache.find('layer', KEY)).toBeUndefined();
  expect(await readdir(join(folder, `assembly/v${ASSEMBLER_VERSION}/tmp`))).toEqual([]);
});

test('many may make the same at once', async () => {
  await Promise.all(Array.from({ length: 8 }, (_, i) => make(String(i))));
  const data = await cache.find<{ text: string }>('layer', KEY);
  expect(await readFile(cache.file('layer', KEY, 'file'), 'utf8')).toBe(data?.text);
  expect(await readdir(join(folder, `assembly/v${ASSEMBLER_VERSION}/tmp`))).toEqual([]);
});

test('what dead processes left is swept, what living ones write is not', async () => {
  const [namespace] = ownerName().split('-');
  const dead = `${namespace}-${spawnSync('true').pid}-7`;
  // Of another container's processes nothing can be known.
  const elsewhere = '1-1-7';
  const temporary = join(folder, `assembly/v${ASSEMBLER_VERSION}/tmp`);
  const names = [`${dead}-young`, `${elsewhere}-old`, `${elsewhere}-young`, `${ownerName()}-old`];
  for (const name of names) {
    await mkdir(join(temporary, name), { recursive: true });
    if (name.endsWith('old')) await utimes(join(temporary, name), 1, 1);
  }
  await cache.sweep();
  expect((await readdir(temporary)).sort()).toEqual([`${elsewhere}-young`, `${ownerName()}-old`].sort());
});

test('a cache that cannot be written to says so', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(new AssemblyCache(file).make('layer', KEY, async () => 1)).rejects.toMatchObject({
    code: 'STORE_IO',
    hint: expect.stringContaining('XDG_CACHE_HOME'),
  });
});
