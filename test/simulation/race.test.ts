// SPDX-License-Identifier: Apache-2.0
// Pushes of every kind, mounts, tags, deletions, crashes and collectors in random orders: `UK_SIMULATION_SCHEDULES`
// says how many, `UK_SIMULATION_SEED` which is the first.
import { describe, expect, test } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { runSchedule } from './schedule.ts';

const SCHEDULES = Number(process.env.UK_SIMULATION_SCHEDULES ?? 2000);
const FIRST = Number(process.env.UK_SIMULATION_SEED ?? 1);

test(`holds in ${SCHEDULES} random schedules from seed ${FIRST} on`, { timeout: 0 }, async () => {
  let steps = 0;
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed += 1) {
    try {
      steps += (await runSchedule(seed)).steps;
    } catch (error) {
      throw new Error(`seed ${seed}; again with UK_SIMULATION_SCHEDULES=1 UK_SIMULATION_SEED=${seed}`, {
        cause: error,
      });
    }
  }
  // Schedules in which nothing happens show nothing.
  expect(steps / SCHEDULES).toBeGreaterThan(100);
});

test('does the same again with the same seed', async () => {
  for (const seed of [FIRST, FIRST + 1, FIRST + 2]) {
    const [first, second]: [string[], string[]] = [[], []];
    await runSchedule(seed, { trace: first });
    await runSchedule(seed, { trace: second });
    expect(second).toEqual(first);
  }
});

describe('is not fooled where', () => {
  for (const [name, mutation] of Object.entries(MUTATIONS)) {
    test(name, { timeout: 0 }, async () => {
      const caught = async () => {
        for (let seed = 1; seed <= 10_000; seed += 1) await runSchedule(seed, { mutation, crowded: true });
      };
      await expect(caught()).rejects.toThrow(/misses|is gone|left over|lost|no data|nothing explains/);
    });
  }
});
