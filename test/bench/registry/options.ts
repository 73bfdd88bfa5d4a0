// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { CONTESTANTS } from './contestants.ts';
import { SCENARIOS } from './scenarios.ts';

export interface BenchOptions {
  rounds: number;
  /** Of each cell. */
  seconds: number;
  connections: number[];
  scenarios: string[];
  servers: string[];
  /** Where the figures go as JSON. */
  json: string | undefined;
  /** How many tags the large repository has. */
  manyTags: number;
}

const HELP = `npm run bench:registry -- [options]

Our registry and its peers in turn, on this machine, on the same data, on loopback, with the storage below $TMPDIR.
A cell is one scenario at one number of connections; in each round every server runs each cell, one right after the
other, so that what else the machine does meets all of them. Medians over the rounds; only ratios within a run compare.

  --rounds N            how often everything is run (default 3); one more before them does not count, with short cells
  --seconds N           how long a cell runs (default 3)
  --connections A,B     how many connections at once (default 1,16,64)
  --scenarios A,B       only these; a name may end with * (default: all)
  --servers A,B         only these (default: all that can be had); ratios need uk and registry-3
  --many-tags N         tags of the large repository (default 100000)
  --json FILE           write every figure of every round there, too
  --help

scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
servers:   ${CONTESTANTS.map(({ name, what }) => `${name} (${what})`).join(', ')}

For instance, a quick look at reading:
  npm run bench:registry -- --rounds 1 --connections 16 --scenarios 'manifest-*,blob-*'
`;

/** @returns undefined where help was asked for, and given */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '1,16,64' },
      scenarios: { type: 'string', default: '*' },
      servers: { type: 'string', default: '*' },
      'many-tags': { type: 'string', default: '100000' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: values.connections.split(',').map((text) => positive('connections', text)),
    scenarios: chosen('scenarios', values.scenarios, SCENARIOS),
    servers: chosen('servers', values.servers, CONTESTANTS),
    manyTags: positive('many-tags', values['many-tags']),
    json: values.json,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`--${name}: not a number above 0: ${text}; try --help`);
}

function chosen(option: string, text: string, all: readonly { name: string }[]): string[] {
  const names = all.map(({ name }) => name);
  const found = text.split(',').flatMap((pattern) => {
    const matches = names.filter((name) =>
      pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );
    if (matches.length === 0) throw new Error(`--${option}: no ${pattern}, only ${names.join(', ')}`);
    return matches;
  });
  return [...new Set(found)];
}
