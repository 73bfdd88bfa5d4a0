// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { KeyedLock } from './keyed-lock.ts';

test('one holder a key, in the order of arrival, whatever fails', async () => {
  const lock = new KeyedLock();
  const order: number[] = [];
  let inside = 0;
  const work = Array.from({ length: 20 }, (_, at) =>
    lock.hold('key', async () => {
      inside += 1;
      expect(inside).toBe(1);
      await setImmediate();
      order.push(at);
      inside -= 1;
      if (at % 3 === 0) throw new Error(`failed ${at}`);
      return at;
    }),
  );
  const results = await Promise.allSettled(work);
  expect(order).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(results.map(({ status }) => status)).toEqual(
    Array.from({ length: 20 }, (_, at) => (at % 3 === 0 ? 'rejected' : 'fulfilled')),
  );
});

test('keys do not wait for each other', async () => {
  const lock = new KeyedLock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = lock.hold('a', () => promise);
  expect(await lock.hold('b', async () => 'b')).toBe('b');
  resolve();
  await held;
});

test('tryHold does not wait', async () => {
  const lock = new KeyedLock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = lock.hold('a', () => promise);
  expect(await lock.tryHold('a', async () => 1)).toBeUndefined();
  resolve();
  await held;
  expect(await lock.tryHold('a', async () => 1)).toEqual({ value: 1 });
});
