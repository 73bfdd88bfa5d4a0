// SPDX-License-Identifier: Apache-2.0
// What `uk run` gives a guest beside its image: volumes, shared folders, tmpfs, a read-only root, a disk.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tarOf } from '../../puller/root/testing.ts';
import { root, uk } from '../whole/command.ts';
import { ShellImage } from './shell-image.ts';

let folder: string;
let image: ShellImage;
let shared: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-root-volumes-'));
  image = await ShellImage.create(folder);
  const layer = tarOf([
    { path: 'data', typeflag: '5', mode: 0o2750, uid: 70, gid: 71 },
    { path: 'data/config', mode: 0o640, uid: 70, gid: 72, content: 'of the image\n', mtime: 1_000_000_000 },
    { path: 'data/tool', mode: 0o4755, content: '#!/bin/sh\n' },
    { path: 'data/link', typeflag: '2', target: 'config', uid: 73, gid: 74 },
    { path: 'data/sub', typeflag: '5', mode: 0o1777 },
    { path: 'data/sub/empty', uid: 5 },
    { path: 'data/pipe', typeflag: '6', mode: 0o600 },
    { path: 'state', typeflag: '5', mode: 0o700, uid: 33 },
    { path: 'state/seed', content: 'seed\n', uid: 33 },
  ]);
  await image.put([layer], { config: { Volumes: { '/state': {} } } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
beforeEach(async () => {
  shared = join(folder, `shared-${++count}`);
  await mkdir(shared);
});

/** Runs what must succeed and say nothing else. @returns its output */
async function says(options: readonly string[], script: string): Promise<string> {
  const { status, stdout, stderr } = await image.run(options, script);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** Runs what must fail before the program. @returns the one line that says why */
async function refused(options: readonly string[], status = 1): Promise<string> {
  const ran = await image.run(options, 'echo started');
  expect(ran.stdout).toBe('');
  expect(ran.status, ran.stderr).toBe(status);
  const lines = ran.stderr.split('\n').filter((line) => !/^$|^\(uk --help shows how\)$/.test(line));
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

const LIST = "cd /data && find . | while read f; do stat -c '%n %A %u:%g %s %Y' $f; done";

/** Lines without sizes of folders and without times, but where they are the image's. */
function listed(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^(\S+ d\S+ \S+) \d+ .*/, '$1').replace(/ 7$/, ''))
    .sort();
}

const OF_THE_IMAGE = [
  '. drwxr-s--- 70:71',
  './config -rw-r----- 70:72 13 1000000000',
  './link lrwxrwxrwx 73:74 6',
  './pipe prw------- 0:0 0',
  './sub drwxrwxrwt 0:0',
  './sub/empty -rw-r--r-- 5:0 0',
  './tool -rwsr-xr-x 0:0 10',
];

describe('a named volume', () => {
  test('is made, gets what the image has there, and keeps what is written', async () => {
    expect(listed(await says(['-v', 'fresh:/data'], LIST))).toEqual(OF_THE_IMAGE);
    await says(['-v', 'fresh:/data'], 'rm /data/tool; echo new > /data/config');
    // Not fresh any more: what was removed does not come back.
    expect(await says(['-v', 'fresh:/data:ro'], 'cat /data/config; ls /data')).toBe('new\nconfig\nlink\npipe\nsub');
    expect(await uk(['volume', 'ls', '-q'], { env: image.env })).toContain('fresh');
  });

  test('with nocopy stays empty', async () => {
    expect(await says(['-v', 'empty:/data:nocopy'], 'ls /data')).toBe('lost+found');
  });

  test('at a path that the image does not have is a new folder', async () => {
    expect(await says(['-v', 'new:/a/b/c'], "stat -c '%A %u' /a/b/c; touch /a/b/c/x; ls /a/b/c")).toBe(
      'drwxr-xr-x 0\nx',
    );
  });

  test('takes no writes with :ro', async () => {
    await says(['-v', 'ro:/data'], 'echo x > /data/x');
    const { status, stderr } = await image.run(['-v', 'ro:/data:ro'], 'cat /data/x >&2; echo y > /data/x');
    expect(stderr).toMatch(/^x\n.*Read-only file system$/s);
    expect(status).toBe(1);
  });

  test('takes one guest that writes', async () => {
    await using held = await holding(['-v', 'shared:/data']);
    expect(await refused(['-v', 'shared:/data'])).toMatch(/^uk: volume shared is in use by another guest \(.*\)$/);
    expect(await refused(['-v', 'shared:/data:ro'])).toMatch(/volume shared is in use/);
    await held.end();
    expect(await says(['-v', 'shared:/data'], 'echo free')).toBe('free');
  });

  test('takes several guests that read, and none that writes beside them', async () => {
    await says(['-v', 'read:/data'], 'echo x > /data/x');
    await using _held = await holding(['-v', 'read:/data:ro']);
    expect(await says(['-v', 'read:/data:ro'], 'cat /data/x')).toBe('x');
    expect(await refused(['-v', 'read:/data'])).toMatch(/volume read is read by another guest/);
  });

  test('that is mounted twice in one guest is refused', async () => {
    expect(await refused(['-v', 'twice:/a', '-v', 'twice:/b'], 2)).toMatch(/volume twice is given for two paths/);
  });
});

/** A guest that runs until it is told to end. */
async function holding(options: readonly string[]): Promise<{ end(): Promise<void> } & AsyncDisposable> {
  const args = image.args(['-i', ...options], 'echo holds; cat');
  const child: ChildProcess = spawn(join(root, 'puller/cli/uk'), args, {
    env: { ...process.env, ...image.env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const end = async () => {
    child.stdin?.end();
    await closed;
  };
  await Promise.race([once(child.stdout ?? child, 'data'), closed]);
  expect(child.exitCode).toBe(null);
  return { end, [Symbol.asyncDispose]: end };
}

describe('a shared folder', () => {
  test('is seen, and what the guest writes is on the host', async () => {
    await writeFile(join(shared, 'in'), 'from the host\n');
    await says(['-v', `${shared}:/srv`], 'cat /srv/in > /srv/out; mkdir /srv/made; chmod 700 /srv/made || true');
    expect(await readFile(join(shared, 'out'), 'utf8')).toBe('from the host\n');
    expect((await readdir(shared)).sort()).toEqual(['in', 'made', 'out']);
  });

  test('takes no writes with :ro', async () => {
    await writeFile(join(shared, 'in'), 'x');
    const { stderr, status } = await image.run(['-v', `${shared}:/srv:ro`], 'cat /srv/in >&2; echo y > /srv/in');
    expect(stderr).toMatch(/^x.*Read-only file system$/s);
    expect(status).toBe(1);
    expect(await readFile(join(shared, 'in'), 'utf8')).toBe('x');
  });

  test('hides what the image has there, and is not filled with it', async () => {
    expect(await says(['-v', `${shared}:/data`], 'ls -a /data')).toBe('.\n..');
    expect(await readdir(shared)).toEqual([]);
  });

  test('may have a comma, a space or = in its name, with -v and --mount', async () => {
    const odd = join(shared, 'a,b=c d,readonly=on');
    await mkdir(odd);
    expect(await says(['-v', `${odd}:/srv`], 'echo 1 > /srv/x; cat /srv/x')).toBe('1');
    expect(await says(['--mount', `type=bind,"src=${odd}",dst=/srv,ro`], 'cat /srv/x')).toBe('1');
  });

  test('that is not there, or is a file, is misuse', async () => {
    expect(await refused(['-v', `${shared}/none:/srv`], 2)).toContain(`there is no folder ${shared}/none`);
    await writeFile(join(shared, 'file'), '');
    expect(await refused(['-v', `${shared}/file:/srv`], 2)).toContain(`${shared}/file is no folder`);
  });

  const asRoot = process.getuid?.() === 0;
  test.skipIf(!asRoot)(`has owners and modes as the host has them${asRoot ? '' : ' (skipped: not root)'}`, async () => {
    await writeFile(join(shared, 'file'), '');
    await chown(join(shared, 'file'), 12, 34);
    await chmod(join(shared, 'file'), 0o4710);
    expect(await says(['-v', `${shared}:/srv`], "stat -c '%a %u:%g' /srv/file; touch /srv/mine")).toBe('4710 12:34');
    expect((await stat(join(shared, 'mine'))).uid).toBe(0);
  });
});

describe('--tmpfs and scratch space', () => {
  test('have the size, the mode and the switches that were asked for', async () => {
    const script = 'stat -c %a /t; dd if=/dev/zero of=/t/x bs=64k count=64; wc -c < /t/x';
    const { stdout, stderr } = await image.run(['--tmpfs', '/t:size=1m,mode=1700'], script);
    expect(stdout).toBe(`1700\n${2 ** 20}`);
    expect(stderr).toMatch(/No space left on device/);
    expect(await says(['--tmpfs', '/t'], 'head -n 99 /proc/mounts')).toMatch(
      /^\S+ \/t tmpfs rw,nosuid,nodev,noexec[ ,]/m,
    );
  });

  test('-v with a path alone gets what the image has there', async () => {
    expect(listed(await says(['-v', '/data'], LIST))).toEqual(OF_THE_IMAGE);
  });
});

describe('--read-only', () => {
  test('leaves /run, /tmp, volumes and what the image declares as its volumes', async () => {
    const script = 'for f in /x /data/x /etc/x /run/x /tmp/x /state/x /v/x; do (> $f) 2> /dev/null && echo $f; done';
    expect(await says(['--read-only', '-v', 'writable:/v'], `mkdir /nothing 2> /dev/null; ${script}; true`)).toBe(
      '/run/x\n/tmp/x\n/state/x\n/v/x',
    );
    expect(await says(['--read-only'], "cat /state/seed; stat -c '%a %u' /state")).toBe('seed\n700 33');
  });
});

describe('--disk', () => {
  test('holds what is written to the root, and nothing of it is left', async () => {
    const script = 'dd if=/dev/zero of=/big bs=1M count=100 2> /dev/null; wc -c < /big; echo x > /data/config';
    expect(await says(['--disk', '512M', '-m', '128M'], script)).toBe(String(100 * 2 ** 20));
    expect(await says(['--disk', '512M'], 'cat /data/config; ls /big 2> /dev/null; true')).toBe('of the image');
  });

  test('that is full is a full disk in the guest', async () => {
    const { stderr } = await image.run(['--disk', '32M'], 'dd if=/dev/zero of=/big bs=1M count=64');
    expect(stderr).toMatch(/No space left on device/);
  });
});

describe('places', () => {
  test('are limited, and too many are refused in one line', async () => {
    const volumes = ['a', 'b', 'c', 'd'].flatMap((name) => ['-v', `place-${name}:/v/${name}`]);
    expect(await says(volumes, 'ls /v')).toBe('a\nb\nc\nd');
    expect(await refused([...volumes, '-v', `${shared}:/v/e`])).toMatch(/places for 5 disks and shared folders/);
  });

  test('may lie in each other, the outer first', async () => {
    await says(['-v', `${shared}:/outer`, '-v', 'inner:/outer/inner'], 'touch /outer/inner/x /outer/y');
    expect((await readdir(shared)).sort()).toEqual(['inner', 'y']);
    expect(await readdir(join(shared, 'inner'))).toEqual([]);
  });

  test('of the guest itself are refused', async () => {
    for (const path of ['/', '/proc', '/sys', '/dev', '/.uk/x']) {
      expect(await refused(['-v', `${shared}:${path}`], 2)).toMatch(/^uk: /);
    }
  });
});

test('a refused run makes no volume', async () => {
  await refused(['-v', 'never:/data', '-v', `${shared}/none:/srv`], 2);
  expect(existsSync(join(image.store.root, 'volumes/never'))).toBe(false);
});
