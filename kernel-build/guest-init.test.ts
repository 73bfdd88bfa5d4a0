// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compileInit, initramfsList, initSources } from './guest-init.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-init-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the initramfs holds the init and a console, all of it root’s', () => {
  const lines = initramfsList('uk-init').trimEnd().split('\n');
  expect(lines).toContain('file /.uk/init uk-init 0755 0 0');
  expect(lines).toContain('nod /dev/console 0600 0 0 c 5 1');
  // gen_init_cpio's words: dir NAME MODE UID GID; file NAME LOCATION MODE UID GID; nod NAME MODE UID GID TYPE MAJ MIN
  for (const line of lines) {
    expect(line).toMatch(/^(dir \/\S+ 0\d{3} 0 0|file \/\S+ [^/]\S* 0\d{3} 0 0|nod \/\S+ 0\d{3} 0 0 [cb] \d+ \d+)$/);
  }
  // A folder stands before what is in it.
  const folders = lines.filter((line) => line.startsWith('dir ')).map((line) => line.split(' ')[1]);
  expect(folders).toEqual(expect.arrayContaining(['/dev', '/.uk', '/proc', '/sys']));
  expect(lines.indexOf('dir /.uk 0755 0 0')).toBeLessThan(lines.indexOf('file /.uk/init uk-init 0755 0 0'));
});

test('the sources are those in C, in one order', async () => {
  for (const name of ['b.c', 'a.h', 'readme.md', 'a.c']) await writeFile(join(folder, name), '');
  expect(await initSources(folder)).toEqual(['a.c', 'a.h', 'b.c']);
});

test('compiled in two folders it is the same, static and stripped', async () => {
  const results = [];
  for (const place of ['one', 'another/place']) {
    const sources = join(folder, place);
    await mkdir(sources, { recursive: true });
    await writeFile(
      join(sources, 'main.c'),
      '#include <assert.h>\nint main(int n, char **a) { (void)a; assert(n); return 0; }\n',
    );
    const output = join(folder, `init-${results.length}`);
    await compileInit(sources, output);
    results.push(await readFile(output));
  }
  const [one, other] = results;
  expect(one && other && one.equals(other)).toBe(true);
  expect(one?.includes('another/place')).toBe(false);
});

test('what does not compile is a build that failed', async () => {
  await writeFile(join(folder, 'main.c'), 'int main(void) { return }\n');
  await expect(compileInit(folder, join(folder, 'init'))).rejects.toMatchObject({ code: 'BUILD_FAILED' });
});
