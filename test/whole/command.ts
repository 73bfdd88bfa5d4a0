// SPDX-License-Identifier: Apache-2.0
// Runs the command `uk` as a user would: another process, its launcher included.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

export const root = resolve(import.meta.dirname, '../..');

const LAUNCHER = join(root, 'puller/cli/uk');

export interface Ran {
  status: number | null;
  stdout: Buffer;
  stderr: Buffer;
}

export interface RunOptions {
  /** The command to run. Default: the launcher of this checkout. */
  command?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Killed after this many milliseconds: a hang is a failure, not a wait. */
  timeoutMs?: number;
  input?: Uint8Array;
}

export async function runUk(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { command = LAUNCHER, env = {}, cwd = root, timeoutMs = 600_000, input } = options;
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {
    // The program may end without reading its input.
  });
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [stdout, stderr, status] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<number | null>((done, fail) => {
      child.on('error', fail);
      child.on('close', done);
    }),
  ]);
  clearTimeout(timer);
  return { status, stdout, stderr };
}

/** As {@link runUk}, for what must succeed. @returns standard output as text, without the last line end */
export async function uk(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await runUk(args, options);
  if (status !== 0) throw new Error(`uk ${args.join(' ')}: exit ${status}\n${stderr}`);
  return stdout.toString().trimEnd();
}

export interface Server {
  /** `127.0.0.1:PORT` */
  host: string;
  stop(): Promise<number | null>;
}

/** Starts `uk registry serve` on a port of the system's choice and waits until it says where it listens. */
export async function serveRegistry(storage: string, options: RunOptions = {}): Promise<Server> {
  const { command = LAUNCHER, env = {} } = options;
  const child = spawn(command, ['registry', 'serve', '--listen', '127.0.0.1:0', '--storage', storage], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((done) => child.on('close', done));
  const host = await listening(child, exited);
  return {
    host,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function listening(
  child: ChildProcessByStdio<null, Readable, null>,
  exited: Promise<number | null>,
): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const host = /http:\/\/(\S+)/.exec(text)?.[1];
    if (host !== undefined) {
      child.stdout.resume();
      return host;
    }
  }
  throw new Error(`the registry did not start: exit ${await exited}: ${text}`);
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A folder that is removed at the end of the block that asked for it (`await using`). */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'uk-test-'));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}
