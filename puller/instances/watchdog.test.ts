// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from './watchdog.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched({ answers }: { answers: boolean }) {
  const guest = { answers, pings: [] as string[], silences: [] as number[] };
  const watchdog: Watchdog = new Watchdog({
    limitMs: 1000,
    ping: (id) => {
      guest.pings.push(id);
      if (guest.answers) watchdog.answer(id);
    },
    onSilence: async (ms) => void guest.silences.push(ms),
  });
  watchdog.start();
  return { watchdog, guest };
}

test('a guest that answers is asked on and on', async () => {
  const { guest } = watched({ answers: true });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(guest.silences).toEqual([]);
  expect(guest.pings.length).toBe(41);
});

test('one that falls silent is told of after the limit, and once a limit from then on', async () => {
  const { guest } = watched({ answers: true });
  await vi.advanceTimersByTimeAsync(5_000);
  guest.answers = false;
  await vi.advanceTimersByTimeAsync(1_249);
  expect(guest.silences).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(guest.silences).toEqual([1000]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(guest.silences).toEqual([1000, 2000, 3000]);
});

test('a silent guest finds one question, not many', async () => {
  const { guest } = watched({ answers: false });
  await vi.advanceTimersByTimeAsync(100_000);
  expect(guest.pings).toEqual(['watchdog-1']);
});

test('an answer that comes late ends the silence; one to no question of ours does not', async () => {
  const { watchdog, guest } = watched({ answers: false });
  await vi.advanceTimersByTimeAsync(900);
  expect(watchdog.silent).toBe(true);
  watchdog.answer('7');
  expect(watchdog.silent).toBe(true);
  watchdog.answer('watchdog-1');
  expect(watchdog.silent).toBe(false);
  // It is asked again at 1,000.
  await vi.advanceTimersByTimeAsync(1_099);
  expect(guest.silences).toEqual([]);
});

test('nobody is asked after the end', async () => {
  const { watchdog, guest } = watched({ answers: false });
  watchdog.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(guest.silences).toEqual([]);
  expect(guest.pings).toHaveLength(1);
});

test('a report is not asked for while the one before is being made', async () => {
  let calls = 0;
  const watchdog = new Watchdog({
    limitMs: 1000,
    ping: () => {},
    onSilence: () => {
      calls++;
      return new Promise(() => {});
    },
  });
  watchdog.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls).toBe(1);
});
