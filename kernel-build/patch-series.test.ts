// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyPatch, readSeries } from './patch-series.ts';

const patches = join(import.meta.dirname, 'patches');
let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'uk-patch-'));
});
afterEach(() => rm(tree, { recursive: true }));

test('the series names each patch in patches/ once', async () => {
  const named = (await readSeries(patches)).map(({ name }) => name);
  const there = (await readdir(patches)).filter((name) => name.endsWith('.patch'));
  expect(named).toEqual(there.sort());
});

test('each patch says why, and names nobody', async () => {
  for (const { name, path } of await readSeries(patches)) {
    const text = await readFile(path, 'utf8');
    const message = text.slice(text.indexOf('\n\n'), text.indexOf('\n---'));
    expect(message.length, name).toBeGreaterThan(200);
    expect(text.match(/^(From|Signed-off-by|Co-.*): .*/gm), name).toEqual(['From: The uk authors <uk@localhost>']);
  }
});

const patch = '--- a/file\n+++ b/file\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n';

test('applies, and tells what it had to allow for', async () => {
  const path = join(tree, 'x.patch');
  await writeFile(path, patch);
  await writeFile(join(tree, 'file'), 'one\ntwo\nthree\n');
  expect(await applyPatch(tree, { name: 'x.patch', path })).toEqual([]);
  expect(await readFile(join(tree, 'file'), 'utf8')).toBe('one\nTWO\nthree\n');

  await writeFile(join(tree, 'file'), 'moved\none\ntwo\nchanged\n');
  expect(await applyPatch(tree, { name: 'x.patch', path })).toHaveLength(1);
});

test('a patch that does not apply is named', async () => {
  const path = join(tree, 'x.patch');
  await writeFile(path, patch);
  await writeFile(join(tree, 'file'), 'something else\n');
  await expect(applyPatch(tree, { name: 'x.patch', path })).rejects.toMatchObject({
    code: 'PATCH_FAILED',
    message: expect.stringContaining('x.patch'),
  });
});
