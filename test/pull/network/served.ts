// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { root } from '../../whole/command.ts';

type Prefix = (...command: string[]) => [string, ...string[]];

/** A registry of ours that runs somewhere. */
export interface Served {
  /** `host:port` */
  host: string;
  /** What it has handed to its sockets, heads of answers included, when nobody is asking for anything. */
  sent(): Promise<{ bytes: number; requests: number }>;
  stop(): Promise<void>;
}

/**
 * Starts `uk registry serve` in one process.
 *
 * @param at makes the command line that runs a command where the server shall run
 */
export async function serve(storage: string, listen: string, at: Prefix = plain): Promise<Served> {
  const options = ['--listen', listen, '--storage', storage, '--workers', '1', '--log-level', 'error', '--json'];
  const [command, ...args] = at(process.execPath, join(root, 'puller/cli/main.ts'), 'registry', 'serve', ...options);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const host = await address(child);
  const metrics = async () => {
    const [get, ...rest] = at(process.execPath, '-e', GET, `http://${host}/metrics`);
    return (await promisify(execFile)(get, rest)).stdout;
  };
  return {
    host,
    async sent() {
      let text = await metrics();
      // The question itself is one.
      while (sumOf(text, 'uk_registry_requests_running') > 1) {
        await wait(200);
        text = await metrics();
      }
      return {
        bytes: sumOf(text, 'uk_registry_sent_bytes_total'),
        requests: sumOf(text, 'uk_registry_requests_total'),
      };
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const plain: Prefix = (command = '', ...args) => [command, ...args];
const GET = 'fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))';

async function address(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stdout ?? []) {
    said += chunk;
    if (said.trimEnd().endsWith('}')) break;
  }
  child.stdout?.resume();
  return new URL((JSON.parse(said) as { url: string }).url).host;
}

/** The sum over all labels. */
function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
