// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { memoryOf, watchingMemory } from '../registry/memory.ts';
import type { Contestant, Run } from './contestants.ts';

export interface Timed {
  seconds: number;
  /** Bytes: the most that the command, and its server if it has one, had at a time. */
  peak: number;
}

/**
 * Runs one pull into a new folder, which is removed afterwards.
 *
 * @param at makes the command line that runs a command where it shall run
 */
export async function timePull(
  contestant: Contestant,
  run: Run,
  at: (...command: string[]) => string[] = (...command) => command,
): Promise<Timed> {
  await mkdir(run.folder, { recursive: true });
  const prepared = await contestant.prepare(run);
  // What earlier runs have written must not be in the way of this one.
  execFileSync('sync');
  try {
    const [command = '', ...args] = at(...prepared.command);
    const begun = performance.now();
    const child = spawn(command, args, {
      env: { ...process.env, ...prepared.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data) => {
      said = (said + data).slice(-2000);
    });
    const ended = once(child, 'close');
    const memory = async () =>
      (await memoryOf(child.pid ?? 0)) + (prepared.server === undefined ? 0 : await memoryOf(prepared.server.pid ?? 0));
    let seconds = 0;
    const { peak } = await watchingMemory(memory, async () => {
      const [status] = await ended;
      seconds = (performance.now() - begun) / 1000;
      if (status !== 0) throw new Error(`${contestant.name}: exit ${status}: ${said.trim()}`);
    });
    return { seconds, peak };
  } finally {
    if (prepared.server !== undefined) {
      const ended = once(prepared.server, 'exit');
      prepared.server.kill('SIGTERM');
      await ended;
    }
    await rm(run.folder, { recursive: true, force: true });
  }
}
