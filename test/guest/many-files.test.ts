// SPDX-License-Identifier: Apache-2.0
// Files that are tiny take a page each in the guest.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BootableRoot } from '../../puller/index.ts';
import { buildGuestImage, Collector, type GuestImage, runGuest } from './guest.ts';

const FILES = 30_000;
const MiB = 1024 ** 2;

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage({
    prepare: async (folder) => {
      const data = join(folder, 'data');
      await mkdir(data);
      for (let at = 0; at < FILES; at += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, i) => writeFile(join(data, String(at + i)), `${at + i}`)));
      }
      return [{ source: data, destination: '/srv/data' }];
    },
  });
});
afterAll(() => image?.[Symbol.asyncDispose]());

test('a guest gets enough memory for all of them', async () => {
  const paths = [0, 1, FILES / 2, FILES - 1].map((name) => `/srv/data/${name}`);
  const { stdout, outcome } = await runGuest(image, 'tree', paths);
  expect(outcome.status).toBe(0);
  for (const path of paths)
    expect(stdout.toString()).toMatch(new RegExp(`^${path} 100644 .* = ${path.slice(10)}$`, 'm'));
});

test('too little is refused before anything starts', async () => {
  await expect(runGuest(image, 'tree', [], { memory: 128 * MiB })).rejects.toMatchObject({ code: 'MEMORY_TOO_SMALL' });
});

test('a guest that could not unpack all of them is ended, although its program would run for ever', async () => {
  const wrong = { bootable: { ...image.bootable, root: { ...image.bootable.root, unpackedSize: 0 } as BootableRoot } };
  const running = runGuest(wrong, 'signals', [], { memory: 128 * MiB, console: new Collector() });
  await expect(running).rejects.toMatchObject({ code: 'MEMORY_TOO_SMALL', hint: expect.stringMatching(/-m 256M$/) });
});
