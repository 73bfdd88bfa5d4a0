// SPDX-License-Identifier: Apache-2.0
// A program: node test/simulation/run.ts FIRST COUNT [MUTATION]. Ends with 1 and the seed at the first schedule in which
// something does not hold. On its own, and not inside of the test runner, where the same takes four times as long.
import { MUTATIONS } from './mutations.ts';
import { runSchedule } from './schedule.ts';

const [first = 1, count = 1000] = process.argv.slice(2, 4).map(Number);
const name = process.argv[4];
const mutation = name === undefined ? undefined : MUTATIONS[name];

let steps = 0;
for (let seed = first; seed < first + count; seed += 1) {
  try {
    steps += (await runSchedule(seed, mutation === undefined ? {} : { mutation, crowded: true })).steps;
  } catch (error) {
    console.error(`seed ${seed}; again with UK_SIMULATION_SCHEDULES=1 UK_SIMULATION_SEED=${seed}\n`, error);
    process.exit(1);
  }
}
console.log(JSON.stringify({ schedules: count, steps }));
