// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { within } from './within.ts';

test('work that is done in time is waited for, and so is its failure', async () => {
  expect(await within(1_000, Promise.resolve('done'))).toBe('done');
  expect(await within(undefined, Promise.resolve('done'))).toBe('done');
  await expect(within(1_000, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
});

test('work that takes longer goes on; that it fails later harms nobody', async () => {
  let fail = (_: Error) => {};
  const work = new Promise<string>((_, reject) => {
    fail = reject;
  });
  expect(await within(1, work)).toBeUndefined();
  fail(new Error('failed'));
  await expect(work).rejects.toThrow('failed');
});
