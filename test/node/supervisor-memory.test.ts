// SPDX-License-Identifier: Apache-2.0
// What a supervisor takes of the machine's memory while its instance is idle.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fakeNode, IMAGE } from './fake-node.ts';

const GOAL_MIB = 25;

test(`a supervisor has at most ${GOAL_MIB} MiB of its own`, async () => {
  await using node = await fakeNode();
  // The first one fills the compile cache.
  await node.uk('run', '-d', '--name', 'first', IMAGE);
  await node.uk('run', '-d', '--name', 'second', IMAGE);
  await delay(2_000);
  const { supervisor } = await node.inspect('second');
  const rollup = readFileSync(`/proc/${supervisor}/smaps_rollup`, 'utf8');
  const sum = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1]) / 1024;
  const own = sum('Private_Dirty') + sum('Private_Clean');
  console.log(
    `supervisor: ${own.toFixed(1)} MiB of its own, ${sum('Pss').toFixed(1)} MiB PSS, ${sum('Rss').toFixed(1)} MiB RSS`,
  );
  expect(own).toBeLessThanOrEqual(GOAL_MIB);
});
