// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

export interface Said {
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Killed after this many milliseconds, and then an error. Default: ten minutes. */
  timeoutMs?: number;
}

/** Runs a command to its end. A signal that ends it counts as 128 + its number only if the command itself says so. */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<Said> {
  const { input, cwd, env = process.env, timeoutMs = 600_000 } = options;
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd, env, stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  child.stdin.on('error', () => {
    // The command may end without reading its input.
  });
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  child.on('error', reject);
  child.on('close', (status, signal) => {
    if (status !== null) resolve({ status, ...said });
    else reject(new Error(`${command.join(' ')}: ended by ${signal}\n${said.stderr}`));
  });
  return promise.finally(() => clearTimeout(timer));
}

/** As {@link runCommand}, for what must succeed. @returns standard output without spaces around it */
export async function mustRun(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await runCommand(command, options);
  if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${stdout}\n${stderr}`);
  return stdout.trim();
}
