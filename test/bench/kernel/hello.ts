// SPDX-License-Identifier: Apache-2.0
// From the start of QEMU to the program's output and to QEMU's end; instructions up to the program's first.
import { join } from 'node:path';
import { root } from '../../whole/command.ts';
import type { Contestant } from './contestants.ts';
import { type GuestRequest, linesOf, runGuest } from './guest.ts';
import { compile, compileCounter, initrdOf } from './programs.ts';
import { type Bench, figure, median, type Section, type Spread, spread } from './section.ts';

/** Ours takes at most this share of the stock kernel's time. */
const SHARE = 1 / 7;
const INSTRUCTIONS = 12_000_000;
const MEMORIES = [64, 128, 512, 1024];
const PROCESSORS = [2, 4];

interface Times {
  output: number[];
  exit: number[];
}

export async function hello({ kernels, folder, rounds, say }: Bench): Promise<Section> {
  const { stock, ring0, ring3, ring3Plain } = kernels;
  const contestants = [stock, ring3Plain, ring3, ring0].filter((one) => one !== undefined);
  const program = await initrdOf(await compile(join(root, 'test/programs/hello.c'), folder));
  const first = await initrdOf(await compile('first.S', folder));

  const times = new Map<Contestant, Times>(contestants.map((kernel) => [kernel, { output: [], exit: [] }]));
  // One round that does not count: it fills every cache.
  for (let round = -1; round < rounds; round += 1) {
    say(round < 0 ? 'hello: warming up' : `hello: round ${round + 1} of ${rounds}`);
    for (const [kernel, { output, exit }] of times) {
      const run = await runGuest({ kernel, initrd: program, marker: 'hello' });
      if (Number.isNaN(run.output)) throw new Error(`${kernel.name} did not say hello: ${run.text.slice(-500)}`);
      if (round < 0) continue;
      output.push(run.output / 1000);
      exit.push(run.exit / 1000);
    }
  }

  const counter = await compileCounter(folder);
  const counted = new Map<Contestant, [ticks: number, counted: number]>();
  for (const kernel of contestants) {
    say(`hello: instructions, ${kernel.name}`);
    // The plugin makes the slowest of them slower by minutes, and shows nothing new there.
    const check = kernel === ring3Plain ? Number.NaN : await executed(kernel, first, counter);
    counted.set(kernel, [await ticksToFirst({ kernel, initrd: first }), check]);
  }
  const sizes: [string, number][] = [];
  for (const memory of MEMORIES)
    sizes.push([`${memory} MiB, 1 processor`, await ticksToFirst({ kernel: ring0, initrd: first, memory })]);
  for (const cpus of PROCESSORS)
    sizes.push([`128 MiB, ${cpus} processors`, await ticksToFirst({ kernel: ring0, initrd: first, cpus })]);

  const exitOf = (kernel: Contestant): number => median(times.get(kernel)?.exit ?? []);
  return {
    title: 'Hello',
    how:
      `A static program that prints a line and ends the machine, as the only program of an initramfs; QEMU alone, 1 processor, ` +
      `128 MiB. ${rounds} rounds in turn after one that does not count: seconds, minimum / median / maximum. Instructions: ` +
      'the time stamp counter at the first instruction of a program, `-icount shift=0,sleep=off`; firmware and loader ' +
      'of a compressed kernel included. Counted: the same by a plugin of the emulator, without the time that is only waited.',
    tables: [
      {
        head: ['', 'to the output, s', 'to the end, s', '× ours', 'instructions to the program', 'counted'],
        rows: contestants.map((kernel) => [
          `${kernel.name}, ${kernel.version}`,
          seconds(spread(times.get(kernel)?.output ?? [])),
          seconds(spread(times.get(kernel)?.exit ?? [])),
          figure(exitOf(kernel) / exitOf(ring0), 2),
          figure(counted.get(kernel)?.[0]),
          figure(counted.get(kernel)?.[1]),
        ]),
      },
      { head: ['ours', 'instructions to the program'], rows: sizes.map(([what, value]) => [what, figure(value)]) },
    ],
    notes: [
      'The emulator hides: what an exit to the hypervisor costs (ours touches fewer devices), that memory must be ' +
        'provided by the host page by page, and the caches.',
      ...(stock === undefined ? ['No Debian cloud kernel in /boot: not compared with it.'] : []),
    ],
    goals: [
      ...(stock === undefined
        ? []
        : [
            {
              what: "hello, ours as a share of the stock kernel's time",
              wanted: SHARE,
              got: exitOf(ring0) / exitOf(stock),
              unit: '',
            },
          ]),
      {
        what: 'hello, instructions to the program',
        wanted: INSTRUCTIONS,
        got: counted.get(ring0)?.[0] ?? Number.NaN,
        unit: 'instructions',
      },
    ],
  };
}

async function ticksToFirst(request: GuestRequest): Promise<number> {
  const [ticks] = await linesOf({ ...request, countInstructions: true }, 'first');
  return Number(ticks);
}

/** NaN where this QEMU has no plugins. */
async function executed(kernel: Contestant, initrd: string, plugin: string): Promise<number> {
  try {
    const [count] = await linesOf({ kernel, initrd, countInstructions: true, plugin }, 'counted');
    return Number(count);
  } catch {
    return Number.NaN;
  }
}

const seconds = ({ minimum, median: middle, maximum }: Spread): string =>
  `${minimum.toFixed(2)} / **${middle.toFixed(2)}** / ${maximum.toFixed(2)}`;
