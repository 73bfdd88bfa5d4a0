// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkHugePages } from './huge-pages.ts';

const MEBIBYTE = 1024 ** 2;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-huge-pages-'));
  await mkdir(join(folder, 'hugepages-2048kB'));
  await writeFile(join(folder, 'hugepages-2048kB/free_hugepages'), '70\n');
  await writeFile(join(folder, 'hugepages-2048kB/resv_hugepages'), '6\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('enough, of which others have a claim to some', async () => {
  await checkHugePages('2M', 128 * MEBIBYTE, folder);
  await expect(checkHugePages('2M', 128 * MEBIBYTE + 1, folder)).rejects.toMatchObject({
    code: 'OPTION_UNSUPPORTED',
    message: 'the guest needs 65 huge pages of 2M, and 64 are free on this host',
    hint: expect.stringMatching(/nr_hugepages.*--huge-pages off/),
  });
});

test('more than are set aside, where the host may make some', async () => {
  await writeFile(join(folder, 'hugepages-2048kB/nr_overcommit_hugepages'), '10\n');
  await writeFile(join(folder, 'hugepages-2048kB/surplus_hugepages'), '8\n');
  await checkHugePages('2M', 132 * MEBIBYTE, folder);
  await expect(checkHugePages('2M', 134 * MEBIBYTE, folder)).rejects.toThrow('and 66 are free');
});

test('a size that this host does not have', async () => {
  await expect(checkHugePages('1G', MEBIBYTE, folder)).rejects.toMatchObject({
    code: 'OPTION_UNSUPPORTED',
    message: expect.stringContaining('no huge pages of 1G'),
  });
});
