// SPDX-License-Identifier: Apache-2.0
// kill -9 of `uk`, supervisors and monitors at random points of all verbs: nothing is left that has to be repaired.
// UK_TEST_KILLS says how many; the monitor is the stand-in of fake-monitor.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FILE } from '../../puller/instances/state/instance-folder.ts';
import { root } from '../whole/command.ts';
import { type FakeNode, fakeNode, IMAGE, until } from './fake-node.ts';

const KILLS = Number(process.env.UK_TEST_KILLS ?? 20);
const NAMES = ['one', 'two', 'three'];

let node: FakeNode;
beforeAll(async () => {
  node = await fakeNode();
});
afterAll(() => node?.[Symbol.asyncDispose]());

function oneOf<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}

function randomCommand(): string[] {
  const [name, other] = [oneOf(NAMES), oneOf(NAMES)];
  const program = oneOf([['sleep'], ['ticks'], ['fail-after', '100'], ['polite'], ['slow-boot']]);
  return oneOf([
    ['run', '-d', '--name', name, '--restart', oneOf(['no', 'always', 'on-failure:3']), IMAGE, ...program],
    ['run', '-d', '--name', name, '--rm', IMAGE, ...program],
    ['create', '--name', name, IMAGE, ...program],
    ['start', name],
    ['restart', '-t', '1', name],
    ['stop', '-t', '1', name],
    ['kill', name],
    ['rm', '-f', name],
    ['rename', name, other],
    // It ends when its output does, as everything in a guest does with the guest.
    ['exec', name, 'sh', '-c', 'while echo x; do sleep 0.1; done'],
    ['attach', '--no-stdin', name],
    ['stats', '--no-stream'],
    ['cp', `${name}:/etc`, '-'],
  ]);
}

interface Listed {
  id: string;
  status: string;
  supervisor?: number;
  monitor?: number;
}

/** Each process belongs to an instance that is listed as running, and the other way round. */
async function agrees(): Promise<boolean> {
  const views = JSON.parse(await node.uk('ps', '-a', '--json')) as Listed[];
  const listed = views.flatMap(({ supervisor, monitor }) => [supervisor, monitor]).filter((pid) => pid !== undefined);
  const there = node.processes();
  return there.every((pid) => listed.includes(pid)) && listed.every((pid) => there.includes(pid));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await Promise.race([
    once(child, 'exit'),
    delay(60_000).then(() => expect.unreachable(`it hangs: ${child.spawnargs}`)),
  ]);
}

test(`${KILLS} kills`, { timeout: KILLS * 20_000 + 120_000 }, async () => {
  for (let at = 0; at < KILLS; at++) {
    const child = spawn(join(root, 'puller/cli/uk'), randomCommand(), {
      env: { ...process.env, ...node.env },
      stdio: 'ignore',
    });
    await delay(Math.random() * 1_500);
    const victim = oneOf([child.pid, ...node.processes(), ...node.processes()]);
    try {
      process.kill(victim ?? 0, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    // A guest that does not come up is waited for.
    setTimeout(() => child.kill('SIGINT'), 5_000).unref();
    await ended(child);
    if (at % 10 === 9) await until(`all agrees after ${at + 1} kills`, agrees);
  }
  await until('all agrees', agrees);
  const ids = (await node.uk('ps', '-aq', '--no-trunc')).split('\n').filter((id) => id !== '');
  for (const id of ids) {
    const known = Object.values(FILE) as string[];
    const names = await readdir(join(node.store, 'instances', id));
    expect(names.filter((name) => !known.includes(name) && !name.startsWith('.new-'))).toEqual([]);
  }
  if (ids.length > 0) await node.uk('rm', '-f', ...ids);
  await node.uk('rm', await node.uk('create', IMAGE));
  expect(node.processes()).toEqual([]);
  const left = (await readdir(join(node.store, 'instances'))).filter((name) => !name.startsWith('events.'));
  expect(left.sort().filter((name) => name !== '.events-lock')).toEqual(['.lock', '.unfinished']);
  expect(await readdir(join(node.store, 'instances/.unfinished'))).toEqual([]);
});
