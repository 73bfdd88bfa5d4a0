// SPDX-License-Identifier: Apache-2.0
// What cannot be started says so and leaves no monitor behind.
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startInstance } from '../../puller/index.ts';
import { buildGuestImage, Collector, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

/** The monitors that run this file's image. */
async function monitors(): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir('/proc')) {
    const line = /^\d+$/.test(name) ? await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '') : '';
    if (line.includes(image.bootable.kernel)) found.push(name);
  }
  return found;
}

test.each<[string, string[], RegExp]>([
  ['a NUL byte', ['a\0b'], /argument 1 holds a NUL byte/],
  ['more than fits', ['x'.repeat(5 * 1024 ** 2)], /at most 4194304 fit/],
])('%s in the arguments', async (_what, args, message) => {
  await expect(runGuest(image, 'exit', args)).rejects.toThrow(message);
  expect(await monitors()).toEqual([]);
});

test('a listener that throws ends the machine', async () => {
  const starting = startInstance(image.bootable, {
    entrypoint: ['/programs/signals'],
    stdout: new Collector(),
    stderr: new Collector(),
    onEvent: ({ type }) => {
      if (type === 'machine') throw new Error('not today');
    },
  });
  await expect(starting).rejects.toThrow('not today');
  expect(await monitors()).toEqual([]);
});
