// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, isDigest } from '../image-format/index.ts';
import { type BuildInputs, buildKey, collectInputs, digestOfFiles } from './build-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-key-'));
});
afterEach(() => rm(folder, { recursive: true }));

const zero = digestOf('');
const inputs: BuildInputs = {
  linux: zero,
  patches: zero,
  fragments: zero,
  init: zero,
  compiler: 'gcc 12',
  linker: 'ld 2',
  libc: zero,
  guestContract: 1,
  builder: 1,
};

test('the order in which the inputs were collected does not matter', () => {
  const turned = Object.fromEntries(Object.entries(inputs).reverse()) as unknown as BuildInputs;
  expect(buildKey('default', turned)).toBe(buildKey('default', inputs));
  expect(isDigest(buildKey('default', inputs))).toBe(true);
});

test.each(Object.keys(inputs) as (keyof BuildInputs)[])('another %s is another key', (name) => {
  const value = inputs[name];
  const other = { ...inputs, [name]: typeof value === 'number' ? value + 1 : `${value}x` };
  expect(buildKey('default', other)).not.toBe(buildKey('default', inputs));
});

test('another variant is another key', () => {
  expect(buildKey('ring3', inputs)).not.toBe(buildKey('default', inputs));
});

test('files count with their names, their bytes and where one ends', async () => {
  const digests = new Set<string>();
  for (const [a, b] of [
    ['x', 'yz'],
    ['xy', 'z'],
    ['xyz', ''],
  ] as const) {
    await writeFile(join(folder, 'a'), a);
    await writeFile(join(folder, 'b'), b);
    digests.add(await digestOfFiles(folder, ['a', 'b']));
    digests.add(await digestOfFiles(folder, ['b', 'a']));
  }
  expect(digests.size).toBe(6);
});

test('a comment in a fragment changes nothing, a setting and the init do', async () => {
  const collect = (text: string) =>
    collectInputs({
      linux: zero,
      patches: [],
      patchFolder: folder,
      fragments: [{ name: 'a', text }],
      initFolder: join(folder, 'init'),
      toolchain: { compiler: 'gcc', linker: 'ld', libc: zero },
    }).then((collected) => buildKey('default', collected));
  await mkdir(join(folder, 'init'));
  await writeFile(join(folder, 'init/main.c'), 'int main;');
  const key = await collect('CONFIG_A=y\n');
  expect(await collect('# why\nCONFIG_A=y\n')).toBe(key);
  expect(await collect('CONFIG_A=n\n')).not.toBe(key);
  await writeFile(join(folder, 'init/notes.txt'), 'not a source');
  expect(await collect('CONFIG_A=y\n')).toBe(key);
  await writeFile(join(folder, 'init/main.c'), 'int mine;');
  expect(await collect('CONFIG_A=y\n')).not.toBe(key);
});
