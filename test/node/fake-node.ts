// SPDX-License-Identifier: Apache-2.0
// A node with a store, a cache and a monitor of its own, for one file of tests.
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ran, root, runUk } from '../whole/command.ts';
import { makeFakeImage } from './fake-image.ts';

export const IMAGE = 'localhost/fake:1';

export interface FakeNode extends AsyncDisposable {
  folder: string;
  store: string;
  env: NodeJS.ProcessEnv;
  /** Runs what must succeed. @returns its standard output */
  uk(...args: string[]): Promise<string>;
  /** Runs what may fail. */
  run(...args: string[]): Promise<Ran>;
  inspect(name: string): Promise<Record<string, unknown> & { status: string }>;
  /** Supervisors and monitors of this node that are there now. */
  processes(): number[];
}

export async function fakeNode(): Promise<FakeNode> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-node-'));
  const store = join(folder, 'store');
  const monitor = join(folder, 'monitor');
  const program = join(root, 'test/node/fake-monitor.ts');
  await writeFile(monitor, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(monitor, 0o755);
  await makeFakeImage(store);
  const env = {
    ...{ UK_STORE: store, UK_QEMU: monitor, UK_ACCEL: 'tcg', XDG_CACHE_HOME: join(folder, 'cache') },
    NODE_COMPILE_CACHE: join(folder, 'cache/uk/node'),
  };
  const run = (...args: string[]): Promise<Ran> => runUk(args, { env, timeoutMs: 120_000 });
  const node: FakeNode = {
    ...{ folder, store, env, run },
    async uk(...args) {
      const { status, stdout, stderr } = await run(...args);
      if (status !== 0) throw new Error(`uk ${args.join(' ')}: exit ${status}\n${stderr}`);
      return stdout.toString().trimEnd();
    },
    inspect: async (name) => JSON.parse(await node.uk('inspect', '--type', 'instance', '--json', name)),
    processes: () => processesWith(`UK_STORE=${store}`),
    async [Symbol.asyncDispose]() {
      for (const pid of node.processes()) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  return node;
}

/** The processes that were started with a variable, but for those of `uk` itself, which come and go. */
function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable) &&
          !readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('puller/cli/')
        );
      } catch {
        return false;
      }
    });
}

/** Asks again until it is so. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, limitMs = 30_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
