// SPDX-License-Identifier: Apache-2.0
// What cannot be started says so and leaves no monitor behind.

import { EventEmitter } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runInstance, startInstance } from '../../puller/index.ts';
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

test.each(['probing', 'machine'])('SIGTERM at the event "%s" of a start ends it and its guest', async (when) => {
  const signals = new EventEmitter();
  const cache = process.env.XDG_CACHE_HOME;
  // Nothing is known of this machine there.
  process.env.XDG_CACHE_HOME = join(image.folder, `nothing-known-${when}`);
  let seen = 0;
  const running = runInstance(
    image.bootable,
    {
      entrypoint: ['/programs/signals'],
      stdout: new Collector(),
      stderr: new Collector(),
      accelerator: 'tcg',
      onEvent: ({ type }) => {
        if (type !== when) return;
        signals.emit('SIGWINCH');
        setImmediate(async () => {
          seen = (await monitors()).length;
          signals.emit('SIGTERM');
        });
      },
    },
    signals as unknown as NodeJS.Process,
  );
  try {
    if (when === 'probing') await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    else expect(await running).toMatchObject({ status: 143 });
  } finally {
    process.env.XDG_CACHE_HOME = cache;
    if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  }
  expect(seen).toBe(1);
  expect(await monitors()).toEqual([]);
  expect(signals.eventNames()).toEqual([]);
});
