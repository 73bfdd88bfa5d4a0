// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { memoryOf } from './memory.ts';

export interface RunningServer {
  url: string;
  port: number;
  pid: number;
  /** Bytes of all of its processes now. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

/** How long it may take until it answers. */
const START_MS = 20_000;

/**
 * Starts a server and waits until it answers `GET /v2/`.
 *
 * @param url where it will listen; left out: it says so on standard output
 * @param reachable whether it can be reached from here; if not, it has begun when it has said something
 */
export async function runServer(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  url?: string,
  reachable = true,
): Promise<RunningServer> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  const hear = (data: Buffer) => {
    said = (said + data.toString()).slice(-10_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} cannot be started`);

  const until = performance.now() + START_MS;
  for (;;) {
    const base = url ?? /http:\/\/[^\s"]+/.exec(said)?.[0];
    if (base !== undefined && (reachable ? await answers(base) : said !== '')) {
      return {
        url: base,
        port: Number(new URL(base).port),
        pid,
        memory: () => memoryOf(pid),
        async stop() {
          child.kill('SIGTERM');
          // Docker's registry waits for connections that are kept alive.
          const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
          await exited;
          clearTimeout(hard);
        },
      };
    }
    if (child.exitCode !== null || performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`${command} ${args.join(' ')} does not answer: ${said}`);
    }
    await wait(20);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/`)).ok;
  } catch {
    return false;
  }
}
