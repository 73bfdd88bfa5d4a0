// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { DiskSync } from './disk-sync.ts';

test('a disk syncs one file at a time, and rests nine times as long as that took', async () => {
  let now = 0;
  const disk = new DiskSync(() => now);
  const gate = Promise.withResolvers<void>();
  const first = disk.try(() => gate.promise);
  expect(disk.try(async () => {})).toBeUndefined();
  now = 100;
  gate.reject(new Error('a bad disk'));
  await first;
  now = 999;
  expect(disk.try(async () => {})).toBeUndefined();
  now = 1000;
  expect(disk.try(async () => {})).toBeDefined();
});
