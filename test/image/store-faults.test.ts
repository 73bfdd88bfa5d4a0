// SPDX-License-Identifier: Apache-2.0
// What a content store does when the disk is full, or when it is killed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-faults-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const probe = join(tmpdir(), `uk-mount-probe-${process.pid}`);
const canMount =
  process.getuid?.() === 0 &&
  spawnSync('sh', [
    '-c',
    `mkdir ${probe} && mount -t tmpfs -o size=4k uk ${probe} && umount ${probe}; s=$?; rmdir ${probe}; exit $s`,
  ]).status === 0;

describe.skipIf(!canMount)(`a full disk${canMount ? '' : ' (skipped: cannot mount a tmpfs)'}`, () => {
  let disk: string;
  beforeAll(async () => {
    disk = join(dir, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'uk-test', disk]);
  });
  afterAll(() => execFileSync('umount', [disk]));

  test('says what it had no room for, leaves nothing, and works again when there is room', async () => {
    const store = await openContentStore(join(disk, 'store'));
    const large = randomBytes(2_000_000);
    const expected = { digest: digestOf(large), size: large.length };
    await expect(store.write(expected, Readable.from([large]))).rejects.toMatchObject({
      code: 'STORE_IO',
      message: `no space left on the disk: writing ${expected.digest} (2000000 bytes) to ${join(disk, 'store')}`,
      hint: expect.stringContaining('--store'),
    });
    await expect(store.ingest(Readable.from([large]))).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(await readdir(join(disk, 'store', 'ingest'))).toEqual([]);
    const small = randomBytes(500_000);
    await store.write({ digest: digestOf(small) }, Readable.from([small]));
    expect(await store.stat(digestOf(small))).toBe(500_000);
  });
});

test('a process that is killed while it writes leaves a file that the next one removes', async () => {
  const root = join(dir, 'killed');
  const layout = new URL('../../image-format/layout/index.ts', import.meta.url).href;
  const script = `
    import { Readable } from 'node:stream';
    const { openContentStore } = await import(${JSON.stringify(layout)});
    const store = await openContentStore(${JSON.stringify(root)});
    await store.ingest(new Readable({ read() { console.log('writing'); setImmediate(() => this.push(Buffer.alloc(65536))); } }));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // The second time it is read, the first piece is on its way to the disk.
  let text = '';
  for await (const piece of child.stdout) {
    text += piece;
    if (text.includes('writing\nwriting')) break;
  }
  child.kill('SIGKILL');
  await ended;
  const ingest = join(root, 'ingest');
  expect(await readdir(ingest)).toHaveLength(1);
  const store = await openContentStore(root);
  expect(await readdir(ingest)).toEqual([]);
  expect(await store.list()).toEqual([]);
});
