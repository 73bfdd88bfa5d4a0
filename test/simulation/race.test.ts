// SPDX-License-Identifier: Apache-2.0
// Pushes of every kind, mounts, tags, deletions, crashes and collectors in random orders: `UK_SIMULATION_SCHEDULES`
// says how many, `UK_SIMULATION_SEED` which is the first.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { runSchedule } from './schedule.ts';

const SCHEDULES = Number(process.env.UK_SIMULATION_SCHEDULES ?? 2000);
const FIRST = Number(process.env.UK_SIMULATION_SEED ?? 1);

const run = (...args: (string | number)[]) =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args.map(String)]);

test(`holds in ${SCHEDULES} random schedules from seed ${FIRST} on`, { timeout: 0 }, async () => {
  const { steps } = JSON.parse((await run(FIRST, SCHEDULES)).stdout);
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
  for (const name of Object.keys(MUTATIONS)) {
    test(name, { timeout: 0 }, async () => {
      const caught = expect.stringMatching(/misses|is gone|left over|lost|no data|nothing explains/);
      await expect(run(1, 10_000, name)).rejects.toMatchObject({ stderr: caught });
    });
  }
});
