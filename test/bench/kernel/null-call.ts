// SPDX-License-Identifier: Apache-2.0
// The null system call by each way into the kernel: instructions, and nanoseconds of the emulator.
import type { Contestant } from './contestants.ts';
import { linesOf, tscKhz } from './guest.ts';
import { compile, initrdOf } from './programs.ts';
import { type Bench, figure, median, type Section } from './section.ts';

const GOAL = 110;
const WAYS = ['syscall', 'call', 'lean'] as const;
const NAMES = { syscall: 'SYSCALL', call: 'call, all registers kept (AT_SYSINFO)', lean: 'lean call' };

type Way = (typeof WAYS)[number];
type Cost = Partial<Record<Way, number>>;

export async function nullCall({ kernels, folder, rounds, say }: Bench): Promise<Section> {
  const { stock, ring3, ring0 } = kernels;
  const contestants = [stock, ring3, ring0].filter((one) => one !== undefined);
  const initrd = await initrdOf(await compile('null.c', folder));
  const instructions = new Map<Contestant, Cost>();
  const ticks = new Map<Contestant, Cost[]>();
  for (const kernel of contestants) {
    say(`null system call: instructions, ${kernel.name}`);
    instructions.set(kernel, await costs({ kernel, initrd, countInstructions: true }));
  }
  for (let round = 0; round < rounds; round += 1) {
    say(`null system call: round ${round + 1} of ${rounds}`);
    for (const kernel of contestants)
      ticks.set(kernel, [...(ticks.get(kernel) ?? []), await costs({ kernel, initrd })]);
  }
  const nanoseconds = (kernel: Contestant, way: Way): number =>
    median((ticks.get(kernel) ?? []).map((cost) => ((cost[way] ?? Number.NaN) / tscKhz(false)) * 1e6));
  return {
    title: 'The null system call',
    how:
      'getppid, 2,000 times in a loop less an empty loop; of 200 such loops the shortest, as most meet no timer tick. ' +
      'Instructions: `-icount shift=0`. The call site is included: two instructions for SYSCALL, four for a call. ' +
      `Nanoseconds: under the emulator, median of ${rounds} rounds in turn.`,
    tables: [
      {
        head: ['', 'by', 'instructions', 'ns in the emulator'],
        rows: contestants.flatMap((kernel) =>
          WAYS.filter((way) => instructions.get(kernel)?.[way] !== undefined).map((way) => [
            kernel.name,
            NAMES[way],
            figure(instructions.get(kernel)?.[way], 1),
            figure(nanoseconds(kernel, way)),
          ]),
        ),
      },
    ],
    notes: [
      'An instruction is an instruction here, whatever it costs. Hardware takes about as long for SYSCALL and SYSRET as for ' +
        'dozens of others, and they, like SWAPGS, are what ring 0 does without; so are the mitigations between user and kernel ' +
        '(page tables, branch predictors), which no kernel here uses on this processor model, the stock one as it decides itself.',
    ],
    goals: [
      {
        what: 'null system call by the lean entry',
        wanted: GOAL,
        got: instructions.get(ring0)?.lean ?? Number.NaN,
        unit: 'instructions',
      },
    ],
  };
}

async function costs(request: Parameters<typeof linesOf>[0]): Promise<Cost> {
  const lines = await linesOf(request, 'null');
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([way, value]) => [way, Number(value)]));
}
