// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Manners } from './manners.ts';

const pulls = (manners: Manners) => {
  for (let at = 0; at < 200; at += 1) manners.pulled();
};

test('while nobody pulls, many pages are answered at once', async () => {
  const manners = new Manners();
  const entered = await Promise.all(Array.from({ length: 16 }, () => manners.enter()));
  expect(entered).toHaveLength(16);
});

test('while somebody pulls, pages are answered one at a time, with pauses', async () => {
  const manners = new Manners();
  pulls(manners);
  const first = await manners.enter();
  let second: Disposable | undefined;
  const coming = manners.enter().then((entered) => {
    second = entered;
  });
  await wait(30);
  expect(second).toBeUndefined();
  pulls(manners);
  first[Symbol.dispose]();
  const left = performance.now();
  await coming;
  expect(performance.now() - left).toBeGreaterThan(20);
});

test('a page that was answered twice leaves once', async () => {
  const manners = new Manners();
  pulls(manners);
  const first = await manners.enter();
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const second = await manners.enter();
  let third = false;
  void manners.enter().then(() => {
    third = true;
  });
  await wait(20);
  expect(third).toBe(false);
  second[Symbol.dispose]();
});

test('too many that wait are sent away', async () => {
  const manners = new Manners();
  pulls(manners);
  await manners.enter();
  const waiting = Array.from({ length: 200 }, () => manners.enter());
  await expect(manners.enter()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(waiting).toHaveLength(200);
});
