// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Caution } from './caution.ts';
import { createDisk } from './disk.ts';

/** Every step was slow. */
function cautious(): Caution {
  const caution = new Caution(-1, 3_600_000);
  for (let step = 0; step < 2; step += 1) caution.watch(() => undefined);
  expect(caution.advised).toBe(true);
  return caution;
}

describe.each([
  ['on this thread', () => new Caution(Number.POSITIVE_INFINITY, 0)],
  ['in other threads', cautious],
])('steps %s', (_, caution) => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-disk-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('make, name, read and remove files', async () => {
    const disk = createDisk(caution());
    const path = (name: string) => join(folder, name);
    const bytes = Buffer.alloc(300_000, 'some bytes');
    await disk.makeFolder(path('a/b'));
    for (const durable of [true, false]) {
      const { ino } = await disk.create(path(`a/b/${durable}`), bytes, durable);
      const found = await disk.read(path(`a/b/${durable}`));
      expect(found.bytes.equals(bytes)).toBe(true);
      expect([found.stats.ino, found.stats.size]).toEqual([ino, 300_000n]);
    }
    expect((await stat(path('a/b/true'))).mode & 0o777).toBe(0o644 & ~process.umask());
    await disk.link(path('a/b/true'), path('linked'));
    await disk.rename(path('a/b/false'), path('linked'));
    await disk.unlink(path('a/b/true'));
    await disk.syncFolder(folder);
    expect(await readdir(path('a/b'))).toEqual([]);
    expect((await readFile(path('linked'))).equals(bytes)).toBe(true);
    await disk.create(path('empty'), new Uint8Array(), false);
    expect((await disk.read(path('empty'))).bytes).toHaveLength(0);
  });

  test('fail as the system says', async () => {
    const disk = createDisk(caution());
    const there = join(folder, 'there');
    const missing = join(folder, 'missing');
    await disk.create(there, Buffer.from('x'), false);
    await expect(disk.create(there, Buffer.from('y'), true)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(disk.link(there, there)).rejects.toMatchObject({ code: 'EEXIST' });
    for (const step of [
      () => disk.read(missing),
      () => disk.unlink(missing),
      () => disk.rename(missing, there),
      () => disk.syncFolder(missing),
    ]) {
      await expect(step()).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect((await disk.read(there)).bytes.toString()).toBe('x');
  });
});
