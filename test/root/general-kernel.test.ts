// SPDX-License-Identifier: Apache-2.0
// The kernel of the preset general has what server software expects (kernel-build/config/general).
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openContentStore } from '../../image-format/layout/index.ts';
import { assemble, createVolume } from '../../puller/index.ts';
import { tarOf } from '../../puller/root/testing.ts';
import { runGuest } from '../guest/guest.ts';
import { generalKernel, writeImage } from './image.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-general-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** With glibc: musl's own compiler does not find the kernel's headers. */
async function compileGeneral(): Promise<string> {
  const output = join(folder, 'general');
  const source = join(import.meta.dirname, 'programs/general.c');
  execFileSync('gcc', ['-static', '-O2', '-Wall', '-Wextra', '-Werror', source, '-o', output]);
  return readFile(output, 'latin1');
}

test('each of it can be used', async () => {
  const store = await openContentStore(join(folder, 'store'));
  const image = await writeImage(store, [tarOf([{ path: 'general', mode: 0o755, content: await compileGeneral() }])]);
  const bootable = await assemble(store, image, { cacheDir: join(folder, 'cache'), kernel: generalKernel });
  const { disk } = await createVolume(join(folder, 'volumes'), 'data', { size: 64 * 2 ** 20 });
  const share = join(folder, 'share');
  await mkdir(share);
  const { stdout, outcome } = await runGuest({ bootable }, 'general', [], {
    entrypoint: ['/general'],
    mounts: [
      { kind: 'disk', file: disk, path: '/volume', readOnly: false, populate: true },
      { kind: 'folder', folder: share, path: '/share', readOnly: false },
    ],
  });
  const lines = stdout.toString().trimEnd().split('\n');
  expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
  expect(lines).toHaveLength(28);
  expect(outcome.status).toBe(0);
  expect(await readFile(join(share, 'other'), 'utf8')).toBe('from the guest');
});
