// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSource } from './source.ts';

let path: string;
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'uk-source-')), 'file');
});
afterAll(async () => await rm(join(path, '..'), { recursive: true }));

async function readAfter(size: number, change: () => Promise<void>): Promise<number> {
  await writeFile(path, Buffer.alloc(size, 1));
  const source = await openSource({ file: path });
  await change();
  let seen = 0;
  try {
    for await (const chunk of source.chunks()) seen += chunk.length;
  } finally {
    await source.close();
  }
  return seen;
}

test.each([0, 1, 1048575, 1048576, 1048577, 3_000_000])('a file of %d bytes', async (size) => {
  expect(await readAfter(size, async () => {})).toBe(size);
});

test('a file that changes between being measured and being read is refused', async () => {
  const changed = { code: 'SOURCE_INVALID', message: expect.stringContaining('changed while it was read') };
  await expect(readAfter(1048576, async () => await appendFile(path, 'x'))).rejects.toMatchObject(changed);
  await expect(readAfter(1048576, async () => await truncate(path, 1048575))).rejects.toMatchObject(changed);
  await expect(readAfter(0, async () => await appendFile(path, 'x'))).rejects.toMatchObject(changed);
});
