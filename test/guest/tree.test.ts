// SPDX-License-Identifier: Apache-2.0
// What a program finds in the guest: the image's files as they were, and what init puts beside them.
import { chmod, link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuestImage, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage({
    prepare: async (folder) => {
      const data = join(folder, 'data');
      await mkdir(join(data, 'inner'), { recursive: true });
      await writeFile(join(data, 'a-first'), 'linked content');
      await link(join(data, 'a-first'), join(data, 'b-second'));
      await symlink('a-first', join(data, 'c-link'));
      await writeFile(join(data, 'inner/script'), '#!/programs/report\n');
      await chmod(join(data, 'inner/script'), 0o750);
      await writeFile(join(data, 'inner/loaderless'), '#!/nowhere/interpreter\n');
      await chmod(join(data, 'inner/loaderless'), 0o755);
      return [{ source: data, destination: '/srv/data' }];
    },
  });
});
afterAll(() => image?.[Symbol.asyncDispose]());

async function tree(...paths: string[]): Promise<Map<string, string>> {
  const { stdout, outcome } = await runGuest(image, 'tree', paths, { hostname: 'here' });
  expect(outcome.status).toBe(0);
  const lines = stdout.toString().trimEnd().split('\n');
  return new Map(lines.filter((line) => line.startsWith('/')).map((line) => [line.split(' ', 1)[0] ?? '', line]));
}

test('files, links and modes of the image', async () => {
  const names = ['a-first', 'b-second', 'c-link', 'inner', 'inner/script'].map((name) => `/srv/data/${name}`);
  const found = await tree(...names);
  expect(found.get('/srv/data/a-first')).toMatch(/^\S+ 100644 \d+:\d+ 2 = linked content$/);
  expect(found.get('/srv/data/b-second')).toMatch(/^\S+ 100644 \d+:\d+ 2 = linked content$/);
  expect(found.get('/srv/data/c-link')).toMatch(/^\S+ 120777 \d+:\d+ 1 -> a-first$/);
  expect(found.get('/srv/data/inner')).toMatch(/^\S+ 040755 /);
  expect(found.get('/srv/data/inner/script')).toMatch(/^\S+ 100750 /);
});

test('what init makes', async () => {
  const found = await tree(
    '/tmp',
    '/run',
    '/dev/shm',
    '/dev/null',
    '/dev/fd',
    '/dev/pts',
    '/etc/hostname',
    '/etc/hosts',
    '/etc/resolv.conf',
    '/proc/1/comm',
  );
  expect(found.get('/tmp')).toMatch(/ 041777 0:0 /);
  expect(found.get('/run')).toMatch(/ 040755 0:0 /);
  expect(found.get('/dev/shm')).toMatch(/ 041777 0:0 /);
  expect(found.get('/dev/null')).toMatch(/ 020666 0:0 1 1,3$/);
  expect(found.get('/dev/fd')).toMatch(/ -> \/proc\/self\/fd$/);
  expect(found.get('/dev/pts')).toMatch(/ 040755 0:0 /);
  expect(found.get('/etc/hostname')).toMatch(/ 100644 0:0 1 = here$/);
  expect(found.get('/etc/hosts')).toMatch(/ 100644 0:0 1 = 127\.0\.0\.1\tlocalhost$/);
  expect(found.get('/etc/resolv.conf')).toMatch(/ 100644 0:0 1 = nameserver 10\.0\.2\.3$/);
  expect(found.get('/proc/1/comm')).toMatch(/ = init$/);
});

test("nothing of the image's kernel is in the guest's memory", async () => {
  expect((await tree('/boot/vmlinux')).get('/boot/vmlinux')).toBe('/boot/vmlinux missing');
});

test('a script runs, and one whose interpreter is missing says that', async () => {
  const ran = await runGuest(image, '/srv/data/inner/script', ['x']);
  expect(ran.stdout.toString()).toMatch(/^arg \/srv\/data\/inner\/script\narg x\n/);
  const { outcome } = await runGuest(image, '/srv/data/inner/loaderless');
  expect(outcome).toMatchObject({ status: 127, failure: { message: expect.stringContaining('interpreter') } });
});
