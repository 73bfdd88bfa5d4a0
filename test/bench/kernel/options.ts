// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';

export const PARTS = ['hello', 'null', 'size', 'memory', 'servers'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  parts: Part[];
  rounds: number;
  /** Print JSON in place of the page. */
  json: boolean;
}

const HELP = `npm run bench:kernel -- [options]

Our kernel against the stock Debian cloud kernel, and against itself with programs in ring 3, in one run, in QEMU's
emulator. What is printed is docs/kernel-measurements.md from its first figures on; where it stands goes to standard
error. Kernels that are not in the cache are built first, which takes minutes; everything else takes less than 12.

  --only A,B    only these parts: ${PARTS.join(', ')}
  --runs N      rounds of what is timed (default 5; of servers at most 3)
  --json        print every figure as JSON
  --help

For instance:
  npm run bench:kernel -- --only null,size
`;

/** @returns undefined where help was asked for, and given */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const rounds = Number(values.runs);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error(`--runs: not a whole number above 0: ${values.runs}; try --help`);
  return { parts: chosen(values.only), rounds, json: values.json };
}

function chosen(text: string | undefined): Part[] {
  const names = text?.split(',') ?? [...PARTS];
  for (const name of names) {
    if (!(PARTS as readonly string[]).includes(name))
      throw new Error(`--only: no ${name}, only ${PARTS.join(', ')}; try --help`);
  }
  return PARTS.filter((part) => names.includes(part));
}
