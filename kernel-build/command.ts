// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CommandOptions {
  cwd?: string | undefined;
  /** All of the environment, nothing is inherited but what is here. Default: {@link plainEnvironment}. */
  env?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
  /** Called for each line of output and error, in the order of arrival. */
  onLine?: ((line: string) => void) | undefined;
}

const TAIL_LINES = 40;

/** A command that could not be started, or that ended with another status than 0. */
export class CommandError extends Error {
  /** The last lines of its output and error. */
  readonly tail: readonly string[];

  constructor(message: string, tail: readonly string[], cause?: unknown) {
    super(message, { cause });
    this.name = 'CommandError';
    this.tail = tail;
  }
}

/**
 * What a build sees of the environment: no `CFLAGS`, `MAKEFLAGS`, `ARCH`, `LOCALVERSION` or locale of the caller gets
 * into its result.
 */
export function plainEnvironment(): Record<string, string> {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Runs a command to its end. Aborting ends it with all the processes it started: it has a process group of its own.
 *
 * @returns its standard output
 * @throws CommandError; the signal's reason
 */
export async function runCommand(name: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, env = plainEnvironment(), signal, onLine } = options;
  signal?.throwIfAborted();
  const child = spawn(name, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  signal?.addEventListener('abort', killGroup, { once: true });
  process.once('exit', killGroup);

  const tail: string[] = [];
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (onLine === undefined) output += text;
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine?.(line);
    });
  }
  try {
    const [code, ended] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...result) => resolve(result));
    });
    signal?.throwIfAborted();
    if (code !== 0) throw new CommandError(`${name} ended with ${ended ?? `status ${code}`}`, tail);
    return output;
  } catch (cause) {
    if (cause instanceof CommandError || signal?.aborted) throw cause;
    throw new CommandError(`${name} could not be run`, tail, cause);
  } finally {
    signal?.removeEventListener('abort', killGroup);
    process.removeListener('exit', killGroup);
  }
}
