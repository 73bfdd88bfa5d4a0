// SPDX-License-Identifier: Apache-2.0
// The least memory in which hello says hello.
import { join } from 'node:path';
import { root, runUk, uk } from '../../whole/command.ts';
import type { Contestant } from './contestants.ts';
import { runGuest } from './guest.ts';
import { compile, initrdOf } from './programs.ts';
import { type Bench, figure, type Section } from './section.ts';

const GOAL = 24;
const TOO_LITTLE = 4;
/** A guest that has too little memory may hang. */
const PATIENCE_MS = 30_000;

export async function memory({ kernels, folder, say }: Bench): Promise<Section> {
  const { stock, ring3, ring0 } = kernels;
  const program = await compile(join(root, 'test/programs/hello.c'), folder);
  const initrd = await initrdOf(program);
  const env = { UK_STORE: join(folder, 'store-memory') };
  await uk(['build', '-t', 'hello:1', '--app', program], { env });

  const alone = (kernel: Contestant, enough: number): Promise<number> =>
    least(enough, async (mebibytes) => {
      say(`memory: ${kernel.name} in ${mebibytes} MiB`);
      const run = runGuest({ kernel, initrd, memory: mebibytes, marker: 'hello', timeoutMs: PATIENCE_MS });
      return await run.then(
        ({ output }) => !Number.isNaN(output),
        () => false,
      );
    });
  const withDevices = await least(128, async (mebibytes) => {
    say(`memory: uk run -m ${mebibytes}M`);
    const { status, stdout } = await runUk(['run', '-m', `${mebibytes}M`, 'hello:1'], { env, timeoutMs: PATIENCE_MS });
    return status === 0 && stdout.toString().includes('hello');
  });
  const rows: [string, number][] = [
    ['`uk run`: ring 0, the init, ports, network, random numbers', withDevices],
    ['ring 0, the program alone', await alone(ring0, 64)],
    ['ring 3, the program alone', await alone(ring3, 64)],
    ...(stock === undefined ? [] : [['stock, the program alone', await alone(stock, 256)] as [string, number]]),
  ];
  return {
    title: 'The least memory',
    how: 'In which a guest with 1 processor says hello, by bisection, MiB. The program alone: as the only file of an initramfs.',
    tables: [{ head: ['', 'MiB'], rows: rows.map(([what, least]) => [what, figure(least)]) }],
    notes: [],
    goals: [{ what: 'hello by `uk run`', wanted: GOAL, got: withDevices, unit: 'MiB' }],
  };
}

/** @param enough what surely works; twice as much is tried where it does not */
async function least(enough: number, works: (mebibytes: number) => Promise<boolean>): Promise<number> {
  let high = enough;
  while (!(await works(high))) {
    high *= 2;
    if (high > 1024) return Number.NaN;
  }
  let low = TOO_LITTLE;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await works(middle)) high = middle;
    else low = middle;
  }
  return high;
}
