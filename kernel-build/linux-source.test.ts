// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../image-format/index.ts';
import { sourceDigest, sourceVersion, unpackSource } from './linux-source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-source-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the point release stands in the Makefile', () => {
  expect(sourceVersion('# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\nNAME = x\n')).toBe(
    '6.12.117',
  );
  expect(sourceVersion('VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc7\n')).toBe('6.12.0-rc7');
  expect(() => sourceVersion('VERSION = 6\n')).toThrow();
});

test('a digest is remembered for the file as it was', async () => {
  const path = join(folder, 'source.tar.xz');
  await writeFile(path, 'one');
  expect(await sourceDigest(path, folder)).toBe(digestOf('one'));
  const memory = join(folder, 'source-digest.txt');
  const remembered = await readFile(memory, 'utf8');
  await writeFile(memory, remembered.replace(digestOf('one'), digestOf('remembered')));
  expect(await sourceDigest(path, folder)).toBe(digestOf('remembered'));

  // As many bytes and the same time of change: what the file system says of itself differs nonetheless.
  await writeFile(path, 'two');
  await utimes(path, 1, 1);
  expect(await sourceDigest(path, folder)).toBe(digestOf('two'));
});

test('a memory that is damaged is none', async () => {
  const path = join(folder, 'source.tar.xz');
  await writeFile(path, 'one');
  await sourceDigest(path, folder);
  const memory = join(folder, 'source-digest.txt');
  await writeFile(memory, `${(await readFile(memory, 'utf8')).split('\n')[0]}\nsha256:no\n`);
  expect(await sourceDigest(path, folder)).toBe(digestOf('one'));
});

test('what is no archive cannot be unpacked', async () => {
  const path = join(folder, 'source.tar.xz');
  await writeFile(path, 'not an archive');
  await expect(unpackSource(path, folder)).rejects.toMatchObject({
    code: 'BUILD_FAILED',
    message: expect.stringContaining(path),
  });
});
