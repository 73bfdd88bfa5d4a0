// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createVolume, DEFAULT_SIZE, ensureVolume } from './create.ts';
import { fileSystemTool } from './file-system.ts';
import { findVolume, getVolume, listVolumes } from './find.ts';
import { checkUsable, volumeUse } from './in-use.ts';
import { inspectVolume } from './inspect.ts';
import { needsReplay } from './journal.ts';
import { pruneVolumes, removeVolume, unusedVolumes } from './remove.ts';
import type { Volume } from './volume.ts';

const MIB = 2 ** 20;

/** For tools that Debian keeps where only root's PATH leads. */
const TOOLS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

let root: string;
let volumes: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'uk-volumes-'));
  volumes = join(root, 'store', 'volumes');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

/** A program that takes the place of mke2fs. */
function script(text: string): string {
  const file = join(root, 'mke2fs');
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

/** Everything in the volumes' folder, but for the volumes. */
function strays(): string[] {
  return readdirSync(join(volumes, '.unfinished'));
}

function firstBytes(file: string, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const opened = openSync(file, 'r');
  readSync(opened, bytes);
  closeSync(opened);
  return bytes;
}

/** Holds a lock on the volume's disk, as a monitor does, until `end` is called. */
async function locked(volume: Volume, kind: '-s' | '-x') {
  const holder = spawn('flock', [kind, volume.disk, 'sh', '-c', 'echo held; read end'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return {
    async end() {
      holder.stdin.end('\n');
      await once(holder, 'close');
    },
  };
}

describe.each(['', '.', '.hidden', '-x', 'a/b', '../x', 'a b', 'ä', 'x'.repeat(129), 'a\0'])('the name %j', (name) => {
  test('is refused', async () => {
    await expect(createVolume(volumes, name)).rejects.toMatchObject({ code: 'VOLUME_INVALID' });
    await expect(findVolume(volumes, name)).rejects.toMatchObject({ code: 'VOLUME_INVALID' });
    await expect(removeVolume(volumes, name)).rejects.toMatchObject({ code: 'VOLUME_INVALID' });
  });
});

test('without mke2fs the hint says how to get it', async () => {
  vi.stubEnv('UK_MKE2FS', '/nowhere/mke2fs');
  const missing = { code: 'TOOL_MISSING', hint: 'apt-get install e2fsprogs' };
  await expect(createVolume(volumes, 'x')).rejects.toMatchObject(missing);
  expect(await listVolumes(volumes)).toEqual([]);
  expect(strays()).toEqual([]);
});

test('one that fails is quoted', async () => {
  vi.stubEnv('UK_MKE2FS', script('echo "mke2fs: the moon is full" >&2; exit 1'));
  const failed = { code: 'STORE_IO', message: expect.stringMatching(/the moon is full$/) };
  await expect(createVolume(volumes, 'x')).rejects.toMatchObject(failed);
  expect(strays()).toEqual([]);
});

test('where nothing is, nothing is found, and nothing is made by looking', async () => {
  expect(await listVolumes(volumes)).toEqual([]);
  expect(await findVolume(volumes, 'x')).toBeUndefined();
  expect(await unusedVolumes(volumes)).toEqual([]);
  await expect(getVolume(volumes, 'x')).rejects.toMatchObject({ code: 'VOLUME_MISSING' });
  await expect(removeVolume(volumes, 'x')).rejects.toMatchObject({ code: 'VOLUME_MISSING' });
  expect(readdirSync(root)).toEqual([]);
});

describe.skipIf(fileSystemTool() === undefined)('volumes', () => {
  test('a new one is a sparse ext4 file system with a journal', async () => {
    const volume = await createVolume(volumes, 'data', { labels: { app: 'shop' } });
    expect(volume).toMatchObject({ name: 'data', size: DEFAULT_SIZE, labels: { app: 'shop' } });
    expect(await findVolume(volumes, 'data')).toEqual(volume);
    const { size, mode } = statSync(volume.disk);
    expect(size).toBe(DEFAULT_SIZE);
    expect(mode & 0o777).toBe(0o600);
    expect(await inspectVolume(volume)).toMatchObject({ use: 'unused' });
    expect((await inspectVolume(volume)).used).toBeLessThan(8 * MIB);
    expect(strays()).toEqual([]);
    // ext4.h: the superblock is at 1024; its magic number at 56, s_feature_compat (has_journal is 4) at 92.
    const superblock = firstBytes(volume.disk, 2048).subarray(1024);
    expect(superblock.readUInt16LE(56)).toBe(0xef53);
    expect(superblock.readUInt32LE(92) & 4).toBe(4);
  });

  test('an mke2fs that knows no zeroed files makes one as well', async () => {
    const real = fileSystemTool() ?? '';
    const old = `case "$*" in *prezeroed*) echo "Bad option(s) specified: assume_storage_prezeroed" >&2; exit 1 ;; esac`;
    vi.stubEnv('UK_MKE2FS', script(`${old}\nexec ${real} "$@"`));
    const volume = await createVolume(volumes, 'data');
    expect(firstBytes(volume.disk, 2048).readUInt16LE(1024 + 56)).toBe(0xef53);
    expect((await inspectVolume(volume)).used).toBeLessThan(8 * MIB);
  });

  test('sizes are whole MiB, from 16', async () => {
    expect((await createVolume(volumes, 'a', { size: 20 * MIB + 1 })).size).toBe(21 * MIB);
    for (const size of [1, 15 * MIB, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(createVolume(volumes, 'b', { size })).rejects.toMatchObject({ code: 'VOLUME_INVALID' });
    }
  });

  test('a name is given once', async () => {
    await createVolume(volumes, 'data', { size: 16 * MIB });
    await expect(createVolume(volumes, 'data')).rejects.toMatchObject({ code: 'VOLUME_EXISTS' });
    expect((await ensureVolume(volumes, 'data')).size).toBe(16 * MIB);
  });

  test('ten first uses at once have one volume', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => ensureVolume(volumes, 'data', { size: 16 * MIB })));
    const one = await getVolume(volumes, 'data');
    expect(all).toEqual(all.map(() => one));
    expect(strays()).toEqual([]);
  });

  test('an interrupt leaves nothing', async () => {
    const signal = AbortSignal.abort();
    await expect(createVolume(volumes, 'data', { signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(await listVolumes(volumes)).toEqual([]);
    expect(strays()).toEqual([]);
  });

  test('what a killed process left is swept by the next one', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(child, 'close');
    await createVolume(volumes, 'a', { size: 16 * MIB });
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
    const left = join(volumes, '.unfinished', `${namespace}-${child.pid}-00`);
    mkdirSync(left);
    writeFileSync(join(left, 'disk.img'), 'half');
    await createVolume(volumes, 'b', { size: 16 * MIB });
    expect(strays()).toEqual([]);
    expect((await listVolumes(volumes)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a damaged one is told of, and can be removed', async () => {
    const { disk } = await createVolume(volumes, 'cut', { size: 16 * MIB });
    truncateSync(disk, MIB);
    mkdirSync(join(volumes, 'bare'));
    writeFileSync(join(volumes, 'bare', 'file'), '');
    await createVolume(volumes, 'whole', { size: 16 * MIB });
    const messages: string[] = [];
    const whole = await listVolumes(volumes, ({ message }) => messages.push(message));
    expect(whole.map(({ name }) => name)).toEqual(['whole']);
    expect(messages).toEqual([
      'volume bare is damaged: it has no volume.json',
      `volume cut is damaged: disk.img has ${MIB} bytes instead of ${16 * MIB}`,
    ]);
    await expect(ensureVolume(volumes, 'bare')).rejects.toMatchObject({ code: 'VOLUME_DAMAGED' });
    await removeVolume(volumes, 'bare');
    await removeVolume(volumes, 'cut');
    expect((await ensureVolume(volumes, 'bare', { size: 16 * MIB })).name).toBe('bare');
  });

  test('a lock of a writer keeps everybody out, one of a reader only writers', async () => {
    const volume = await createVolume(volumes, 'data', { size: 16 * MIB });
    const writer = await locked(volume, '-x');
    expect(await volumeUse(volume)).toBe('written');
    await expect(checkUsable(volume, true)).rejects.toMatchObject({ code: 'VOLUME_IN_USE' });
    await writer.end();
    const reader = await locked(volume, '-s');
    expect(await volumeUse(volume)).toBe('read');
    await checkUsable(volume, true);
    await expect(checkUsable(volume, false)).rejects.toMatchObject({ code: 'VOLUME_IN_USE' });
    await reader.end();
    await checkUsable(volume, false);
  });

  test('one that was not unmounted needs its journal replayed', async () => {
    const volume = await createVolume(volumes, 'data', { size: 16 * MIB });
    expect(await needsReplay(volume)).toBe(false);
    execFileSync('debugfs', ['-w', '-R', 'feature needs_recovery', volume.disk], { env: TOOLS, stdio: 'ignore' });
    expect(await needsReplay(volume)).toBe(true);
    writeFileSync(volume.disk, Buffer.alloc(volume.size));
    await expect(needsReplay(volume)).rejects.toMatchObject({ code: 'VOLUME_DAMAGED' });
  });

  test('one that is in use is neither removed nor pruned', async () => {
    const volume = await createVolume(volumes, 'used', { size: 16 * MIB });
    await createVolume(volumes, 'idle', { size: 16 * MIB });
    const holder = await locked(volume, '-s');
    await expect(removeVolume(volumes, 'used')).rejects.toMatchObject({ code: 'VOLUME_IN_USE' });
    expect((await unusedVolumes(volumes)).map(({ name }) => name)).toEqual(['idle']);
    // One that was taken since it was looked at stays.
    const pruned = await pruneVolumes(volumes, await listVolumes(volumes));
    expect(pruned.map(({ name }) => name)).toEqual(['idle']);
    expect(pruned[0]?.freed).toBeGreaterThan(0);
    await holder.end();
    await removeVolume(volumes, 'used');
    expect(await listVolumes(volumes)).toEqual([]);
    expect(strays()).toEqual([]);
  });

  test("a record with a foreign volume's name is damaged", async () => {
    await createVolume(volumes, 'a', { size: 16 * MIB });
    for (const text of ['', '[]', 'null', '{"name":"b"}', '{"name":"b","created":"","size":1,"labels":{}}']) {
      writeFileSync(join(volumes, 'a', 'volume.json'), text);
      await expect(findVolume(volumes, 'a')).rejects.toMatchObject({ code: 'VOLUME_DAMAGED' });
    }
  });
});
