// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { backoff } from '../backoff.ts';
import { RateLimit } from './rate-limit.ts';
import { Slots } from './slots.ts';
import { withoutStalls } from './without-stalls.ts';

test('the wait doubles, with jitter, to a limit', () => {
  expect(backoff(1, 200, () => 1)).toBe(200);
  expect(backoff(3, 200, () => 0)).toBe(400);
  expect(backoff(30, 200, () => 1)).toBe(30_000);
});

test('a rate limit spreads bytes over time, whoever takes them', async () => {
  let now = 0;
  const waits: number[] = [];
  const limit = new RateLimit(
    1000,
    () => now,
    async (ms) => void waits.push(ms),
  );
  await limit.take(500, undefined);
  await limit.take(500, undefined);
  now = 5000;
  await limit.take(100, undefined);
  expect(waits).toEqual([500, 1000, 100]);
});

test('slots are given in turn, and waiting ends with the signal', async () => {
  const slots = new Slots(1);
  let go = () => {};
  const first = slots.run(
    undefined,
    () =>
      new Promise<void>((resolve) => {
        go = resolve;
      }),
  );
  const abort = new AbortController();
  const second = slots.run(abort.signal, async () => 'second');
  const third = slots.run(undefined, async () => 'third');
  abort.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  go();
  await first;
  expect(await third).toBe('third');
});

describe('a line that carries next to nothing', () => {
  const drip = (bytes: number, everyMs: number, clock: { now: number }) =>
    (async function* () {
      for (let i = 0; i < 50; i++) {
        clock.now += everyMs;
        yield Buffer.alloc(bytes);
      }
    })();
  const drain = async (bytes: number, everyMs: number) => {
    const clock = { now: 0 };
    for await (const _ of withoutStalls(drip(bytes, everyMs, clock), 10_000, 'host', () => clock.now));
  };

  test('is given up', async () => {
    await expect(drain(1, 1000)).rejects.toMatchObject({ message: 'host sends too slowly: 10 bytes in 10 s' });
  });

  test('a slow one is not', async () => {
    await drain(200, 1000);
  });
});
