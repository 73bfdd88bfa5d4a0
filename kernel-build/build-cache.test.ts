// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestHex, digestOf } from '../image-format/index.ts';
import { BuildCache } from './build-cache.ts';
import { isAlive, processIdentity } from './process-identity.ts';

const key = digestOf('a kernel');
const name = digestHex(key);
let folder: string;
let cache: BuildCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-cache-'));
  cache = new BuildCache(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const write = (text: string) => (result: string) => writeFile(join(result, 'vmlinux'), text);
const nobody = '4194304-1';

async function anotherProcess() {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const identity = processIdentity(child.pid) ?? '';
  return {
    identity,
    end: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('what was built is there, and nothing else', async () => {
  await cache.ensure(key, async (result, scratch) => {
    await writeFile(join(scratch, 'object.o'), '');
    await write('1')(result);
  });
  expect(await readdir(folder)).toEqual([name]);
  expect(await readdir(cache.pathOf(key))).toEqual(['vmlinux']);
});

test('what was built may have folders and links in it', async () => {
  await cache.ensure(key, async (result) => {
    await mkdir(join(result, 'lib'));
    await writeFile(join(result, 'lib', 'libc.a'), '');
    await symlink('libc.a', join(result, 'lib', 'other.a'));
  });
  expect((await readdir(cache.pathOf(key), { recursive: true })).sort()).toEqual(['lib', 'lib/libc.a', 'lib/other.a']);
});

test('what is there is not built again', async () => {
  await cache.ensure(key, write('1'));
  await cache.ensure(key, write('2'));
  expect(await readFile(join(cache.pathOf(key), 'vmlinux'), 'utf8')).toBe('1');
});

test('a build that fails leaves nothing, and the next one can succeed', async () => {
  const broken = cache.ensure(key, async (result) => {
    await write('half')(result);
    throw new Error('broken');
  });
  await expect(broken).rejects.toThrow('broken');
  expect(await readdir(folder)).toEqual([]);
  await cache.ensure(key, write('1'));
  expect(await cache.has(key)).toBe(true);
});

test('a builder that is gone left a lock and half a build: both are removed', async () => {
  await mkdir(join(folder, `building-${nobody}-abc`, 'linux'), { recursive: true });
  await writeFile(`${cache.pathOf(key)}.lock`, nobody);
  await cache.ensure(key, write('1'));
  expect(await readdir(folder)).toEqual([name]);
});

test('another living builder is waited for', async () => {
  const other = await anotherProcess();
  await writeFile(`${cache.pathOf(key)}.lock`, other.identity);
  await mkdir(join(folder, `building-${other.identity}-abc`));
  const waiting = Promise.withResolvers<void>();
  let built = false;
  const build = async () => {
    built = true;
  };
  const done = cache.ensure(key, build, { onWait: waiting.resolve });
  await waiting.promise;
  // It finishes: the kernel, then the lock.
  await mkdir(cache.pathOf(key));
  await rm(`${cache.pathOf(key)}.lock`);
  await done;
  await other.end();
  expect(built).toBe(false);
});

test('if the builder that is waited for dies, one builds in its place', async () => {
  const other = await anotherProcess();
  await writeFile(`${cache.pathOf(key)}.lock`, other.identity);
  const waiting = Promise.withResolvers<void>();
  const done = cache.ensure(key, write('mine'), { onWait: waiting.resolve });
  await waiting.promise;
  await other.end();
  await done;
  expect(await readdir(folder)).toEqual([name]);
});

test('waiting can be given up', async () => {
  const other = await anotherProcess();
  await writeFile(`${cache.pathOf(key)}.lock`, other.identity);
  const controller = new AbortController();
  const waiting = Promise.withResolvers<void>();
  const done = cache.ensure(key, write('mine'), { signal: controller.signal, onWait: waiting.resolve });
  await waiting.promise;
  controller.abort(new Error('enough'));
  await expect(done).rejects.toThrow();
  expect(await readFile(`${cache.pathOf(key)}.lock`, 'utf8')).toBe(other.identity);
  await other.end();
});

describe('a builder in another container', () => {
  const stranger = `${process.pid}-1-0badcafe`;
  const scratch = () => join(folder, `building-${stranger}-abc`);
  const lock = () => `${cache.pathOf(key)}.lock`;
  const longAgo = async (path: string) => await utimes(path, 1, 1);

  test('is waited for while it shows that it is at work, and what it has made is left alone', async () => {
    await mkdir(scratch());
    await writeFile(lock(), stranger);
    const waiting = Promise.withResolvers<void>();
    const done = cache.ensure(key, write('mine'), { onWait: waiting.resolve });
    await waiting.promise;
    expect(await readdir(folder)).toContain(`building-${stranger}-abc`);
    await mkdir(cache.pathOf(key));
    await rm(lock());
    await done;
    expect(await readdir(cache.pathOf(key))).toEqual([]);
  });

  test('is gone when it has shown nothing for long', async () => {
    await mkdir(scratch());
    await writeFile(lock(), stranger);
    for (const path of [scratch(), lock()]) await longAgo(path);
    await cache.ensure(key, write('mine'));
    expect(await readdir(folder)).toEqual([name]);
  });
});

test('two that build at once, one not seeing the other, end with one whole kernel', async () => {
  await cache.ensure(key, async (result) => {
    await write('slow')(result);
    await mkdir(cache.pathOf(key));
    await writeFile(join(cache.pathOf(key), 'vmlinux'), 'fast');
  });
  expect(await readFile(join(cache.pathOf(key), 'vmlinux'), 'utf8')).toBe('fast');
  expect(await readdir(folder)).toEqual([name]);
});

test('a folder that cannot be made is a clear error', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(new BuildCache(join(folder, 'file', 'cache')).ensure(key, write('1'))).rejects.toMatchObject({
    code: 'CACHE_IO',
    message: expect.stringContaining(folder),
  });
});

test('a process is known by its number and its start', async () => {
  expect(isAlive(processIdentity() ?? '')).toBe(true);
  expect(isAlive(`${process.pid}-1`)).toBe(false);
  expect(isAlive(nobody)).toBe(false);
  expect(isAlive('')).toBe(false);
});
