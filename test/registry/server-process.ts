// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { root as checkout } from '../whole/command.ts';

/** A server as people run it: the process of `uk registry serve`. */
export interface ServerProcess {
  url: string;
  pid: number;
  log(): string;
  signal(signal: NodeJS.Signals): void;
  /** Its exit status, when it ended. */
  ended: Promise<number | null>;
}

/** For each test of a file a folder of its own, and servers that end with it. */
export function useServers() {
  let folder = '';
  let started: ServerProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-serving-'));
    started = [];
  });
  afterEach(async () => {
    for (const server of started) server.signal('SIGKILL');
    await Promise.all(started.map((server) => server.ended));
    for (const server of started) await vi.waitFor(() => expect(workersOf(server.pid)).toEqual([]), 10_000);
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder: () => folder,
    workersOf,
    isRunning,
    /** Serves `images` in the test's folder at a port of the system's choice, unless the arguments say otherwise. */
    async serve(...args: string[]): Promise<ServerProcess> {
      const server = await start(['--listen', '127.0.0.1:0', '--storage', join(folder, 'images'), ...args]);
      started.push(server);
      return server;
    },
  };
}

async function start(args: string[]): Promise<ServerProcess> {
  const all = ['registry', 'serve', '--json', ...args];
  const child = spawn(join(checkout, 'puller/cli/uk'), all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => {
    log += data;
  });
  const ended = once(child, 'close').then(([status]) => status as number | null);
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.trimEnd().endsWith('}')) break;
  }
  child.stdout.resume();
  if (said === '') throw new Error(`it did not start: exit ${await ended}: ${log}`);
  return {
    url: (JSON.parse(said) as { url: string }).url,
    // A process that said something has one.
    pid: child.pid ?? 0,
    log: () => log,
    signal: (signal) => void child.kill(signal),
    ended,
  };
}

function workersOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** One that ended and that nobody has asked about (a zombie) does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
