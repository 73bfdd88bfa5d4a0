// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { backoff } from '../backoff.ts';
import { RateLimit } from './rate-limit.ts';
import { Silence } from './silence.ts';
import { Slots } from './slots.ts';
import { Window } from './window.ts';
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

test('slots that are taken away come back when their work ends', async () => {
  const slots = new Slots(2);
  let running = 0;
  const ends: (() => void)[] = [];
  const begin = () =>
    slots.run(undefined, async () => {
      running++;
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
    });
  const all = [begin(), begin(), begin(), begin()];
  await Promise.resolve();
  expect(running).toBe(2);
  slots.resize(1);
  ends.shift()?.();
  await all[0];
  expect(running).toBe(1);
  slots.resize(3);
  await vi.waitFor(() => expect(running).toBe(3));
  for (const end of ends) end();
  await Promise.all(all);
  expect(slots.isIdle).toBe(true);
});

describe('a window', () => {
  test('gives out no more than it has; what is kept comes back', async () => {
    const window = new Window(100);
    const first = await window.take(70, undefined);
    const order: string[] = [];
    const second = window.take(50, undefined).then((hold) => {
      order.push('second');
      return hold;
    });
    // Whoever wants less does not overtake.
    const third = window.take(10, undefined).then(() => void order.push('third'));
    first.keep(60);
    await Promise.resolve();
    expect(order).toEqual([]);
    first.keep(40);
    first.keep(90);
    await second;
    expect(order).toEqual(['second', 'third']);
    first.keep(0);
    first.keep(0);
    await third;
    (await second).keep(0);
    await window.take(90, undefined);
  });

  test('who wants more than all of it gets all of it', async () => {
    const window = new Window(100);
    (await window.take(1000, undefined)).keep(0);
    await window.take(100, undefined);
  });

  test('who gives up waiting lets others pass', async () => {
    const window = new Window(100);
    await window.take(60, undefined);
    const abort = new AbortController();
    const large = window.take(100, abort.signal);
    const small = window.take(40, undefined);
    abort.abort(new Error('enough'));
    await expect(large).rejects.toThrow('enough');
    await small;
  });
});

describe('silence', () => {
  const broken = async (silence: Silence, withinMs: number) =>
    await Promise.race([
      once(silence.signal, 'abort').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), withinMs)),
    ]);

  test('breaks a transfer on which something should have come', async () => {
    const silence = new Silence(0, 20);
    silence.listen();
    expect(await broken(silence, 5_000)).toBe(true);
    expect(silence.signal.reason).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });

  test('does not count time in which nothing is waited for', async () => {
    const silence = new Silence(0, 20);
    silence.listen();
    silence.rest();
    expect(await broken(silence, 100)).toBe(false);
    silence.listen();
    expect(await broken(silence, 5_000)).toBe(true);
  });

  test('is borne twice as long after each stall, and in the end left to the transport', async () => {
    const [second, last] = [new Silence(1, 50), new Silence(4, 1)];
    second.listen();
    last.listen();
    expect(await broken(second, 75)).toBe(false);
    expect(await broken(second, 5_000)).toBe(true);
    expect(last.isBroken).toBe(false);
  });
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
