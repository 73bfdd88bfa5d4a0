// SPDX-License-Identifier: Apache-2.0
// What programs in ring 0 must not do (docs/kernel.md) has a clear end: a signal, or a report and the machine's end.
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QmpClient } from '../../puller/vmm/qemu/qmp.ts';
import { bootGuest, startGuest } from './boot.ts';
import { checkedGuest } from './checked-guest.ts';
import { checksOf, complaintsIn, linesOf } from './checks.ts';
import { outcomesOf } from './hazards/vectors.ts';

const CPUS = [1, 2];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-hazards-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(CPUS)('int n with %i processors', (cpus) => {
  test('is a signal, for every n, and the machine goes on', { timeout: 600_000 }, async () => {
    const log = await bootGuest({ ...(await checkedGuest(folder, 'hazards/vectors')), cpus, patience: 500_000 });
    const outcomes = new Map(
      linesOf(log).flatMap((line) => {
        const [, vector, outcome = ''] = /^int (\d+): (.*)$/.exec(line) ?? [];
        return vector === undefined ? [] : [[Number(vector), outcome] as const];
      }),
    );
    const all = Array.from({ length: 256 }, (_, vector) => vector);
    const others = all.filter((vector) => !outcomesOf(vector).includes(outcomes.get(vector) ?? ''));
    expect(others.map((vector) => `int ${vector}: ${outcomes.get(vector)}`)).toEqual([]);
    expect(checksOf(log).ended).toBe(true);
    expect(complaintsIn(log)).toEqual([]);
  });
});

describe.each([
  ['gs', 'GS by instructions of its own', 3],
  ['interrupts', 'interrupts turned off', 7],
] as const)('%s', (group, name, checks) => {
  test.each(CPUS)(`${name}, with %i processors`, async (cpus) => {
    const log = await bootGuest({ ...(await checkedGuest(folder, `hazards/${group}`)), cpus });
    expect(checksOf(log)).toEqual({ passed: checks, failed: [], ended: true });
    expect(complaintsIn(log)).toEqual([]);
  });
});

test('a program that loads GS is ended by the next interrupt, and the log says why', async () => {
  const log = await bootGuest({ ...(await checkedGuest(folder, 'hazards/deaf')), cpus: 1, append: '-- gs' });
  expect(log).toContain("init[1] loaded GS, which is the kernel's");
  // It was process 1.
  expect(log).toContain('Attempted to kill init! exitcode=0x0000000b');
  expect(checksOf(log).failed).toEqual([]);
});

test('a machine that a program keeps for itself comes back by an NMI, and the log says where it was', async () => {
  const socket = join(folder, 'qmp');
  const guest = await checkedGuest(folder, 'hazards/deaf');
  const monitor = ['-qmp', `unix:${socket},server=on,wait=off`];
  const running = startGuest({ ...guest, cpus: 1, append: '-- cli', monitor });
  await running.seen('deaf');
  const connection = createConnection(socket);
  const monitoring = new QmpClient(connection);
  const reported = running.seen('interrupts off').then(() => true);
  // The first may come before it is deaf.
  while (!(await Promise.race([reported, delay(100, false)]))) await monitoring.execute('inject-nmi');
  // The timer is back: so is process 1's alarm, which ends the machine.
  const log = await running.output;
  connection.destroy();
  expect(log).toMatch(/NMI: CPU 0 runs init\[1\] at 0x[0-9a-f]+, interrupts off/);
  expect(checksOf(log)).toMatchObject({ failed: [], ended: true });
});

test('a kernel that keeps interrupts off panics at an NMI a second later, and the log says where it was', async () => {
  const socket = join(folder, 'qmp-kernel');
  const guest = await checkedGuest(folder, 'hazards/deaf');
  const monitor = ['-qmp', `unix:${socket},server=on,wait=off`];
  const running = startGuest({ ...guest, cpus: 1, append: '-- kernel', monitor });
  await running.seen('deaf');
  const connection = createConnection(socket);
  const monitoring = new QmpClient(connection);
  const ended = running.output.then(() => true);
  while (!(await Promise.race([ended, delay(100, false)]))) await monitoring.execute('inject-nmi').catch(() => {});
  connection.destroy();
  expect(await running.output).toMatch(/Kernel panic - not syncing: NMI: the kernel has interrupts off/);
});
