// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import type { Check, Recipe } from './recipe.ts';

/** What a run of an image gave. */
export interface Answer {
  status: number;
  stdout: string;
  stderr: string;
}

/** One way to run an image: podman, or `uk run`. It has the image already, and a volume that checks share. */
export interface Way extends AsyncDisposable {
  run(check: Check): Promise<Answer>;
}

/** How long one run may take: emulated guests are slow. */
export const RUN_MS = 600_000;

export interface Running {
  child: ChildProcess;
  /** What it has said so far. */
  said: Answer;
  ended: Promise<Answer>;
  /** Aborted when it has ended. */
  over: AbortSignal;
}

/** Starts a command with standard input and collects what it says. It is killed after {@link RUN_MS}. */
export function start(command: readonly string[], input: string | undefined, env: NodeJS.ProcessEnv): Running {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: 'pipe', env });
  const said: Answer = { status: -1, stdout: '', stderr: '' };
  const over = new AbortController();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('latin1').on('data', (text: string) => {
      said[name] += text;
    });
  }
  child.stdin.on('error', () => {
    // The program may end without reading its input.
  });
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  child.on('error', reject);
  child.on('close', (status) => {
    clearTimeout(timer);
    over.abort();
    said.status = status ?? -1;
    resolve(said);
  });
  return { child, said, ended: promise, over: over.signal };
}

/** The signal that the image wants to be ended by. */
export function stopSignal({ config }: Recipe): NodeJS.Signals {
  return config.StopSignal ?? 'SIGTERM';
}
