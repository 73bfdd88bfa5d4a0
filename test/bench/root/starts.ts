// SPDX-License-Identifier: Apache-2.0
// The second start: `uk run` until the program's first output, of 1 GB and of hello with the same kernel.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../whole/command.ts';
import type { Images } from './images.ts';
import { median, milliseconds, type Row } from './row.ts';

const ROUNDS = 15;
const UK = join(root, 'puller/cli/uk');

export async function starts({ env, big, hello }: Images): Promise<Row[]> {
  const commands = {
    hello: [hello],
    big: ['--entrypoint', '/srv/hello', big],
    dynamic: [big, '--', '/bin/echo', 'hello'],
  };
  const times: Record<string, number[]> = { hello: [], big: [], dynamic: [] };
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const time = await untilOutput(['run', ...args], env);
      if (round >= 0) times[name]?.push(time);
    }
  }
  const of = (name: string): number => median(times[name] ?? []);
  const other = `hello, root in memory, same kernel: ${milliseconds(of('hello'))}`;
  return [
    {
      what: 'second start of 1 GB: `uk run` until its hello (the same static program)',
      ours: milliseconds(of('big')),
      other,
      ratio: of('big') / of('hello'),
      wanted: '≤ 1.3',
    },
    {
      what: 'the same until its `/bin/echo hello` (dynamically linked)',
      ours: milliseconds(of('dynamic')),
      other,
      ratio: of('dynamic') / of('hello'),
    },
  ];
}

async function untilOutput(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const begin = performance.now();
  const child = spawn(UK, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, said] = ['', ''];
  let time = Number.NaN;
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
    if (Number.isNaN(time) && text.includes('hello')) time = performance.now() - begin;
  });
  await once(child, 'close');
  if (Number.isNaN(time)) throw new Error(`uk ${args.join(' ')} did not say hello: ${text}${said}`);
  return time;
}
