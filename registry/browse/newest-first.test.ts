// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { NewestFirst } from './newest-first.ts';

test('the newest goes first, a few at once, and the oldest is given up', async () => {
  const queue = new NewestFirst(2, 3);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const runs = Array.from({ length: 6 }, (_, at) =>
    queue.run(async () => {
      begun.push(at);
      await new Promise<void>((resolve) => ends.push(resolve));
      return at;
    }),
  );
  expect(begun).toEqual([0, 1]);
  expect(await runs[2]).toBeUndefined();
  while (begun.length < 5 || ends.length > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(begun).toEqual([0, 1, 5, 4, 3]);
  expect(await Promise.all(runs)).toEqual([0, 1, undefined, 3, 4, 5]);
});

test('work that fails makes room, too', async () => {
  const queue = new NewestFirst(1, 10);
  const failed = queue.run(() => Promise.reject(new Error('failed')));
  const next = queue.run(async () => 'next');
  await expect(failed).rejects.toThrow('failed');
  expect(await next).toBe('next');
});
