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

describe.each([
  ['cli', 'a program that spins with interrupts off', /init\[1\] ran with interrupts off at [0-9a-f]+/],
  ['gs', 'a program that loads GS', /init\[1\] loaded GS, which is the kernel's/],
] as const)('%s', (what, name, report) => {
  test(`${name} is ended, by an NMI at the latest, and the log says why`, async () => {
    const socket = join(folder, `qmp-${what}`);
    const guest = await checkedGuest(folder, 'hazards/deaf');
    const monitor = ['-qmp', `unix:${socket},server=on,wait=off`];
    const running = startGuest({ ...guest, cpus: 1, append: `-- ${what}`, monitor });
    await running.seen('deaf');
    const connection = createConnection(socket);
    const monitoring = new QmpClient(connection);
    const ended = running.output.then(() => true);
    // The first may come before it is deaf; the last finds no machine any more.
    while (!(await Promise.race([ended, delay(100, false)]))) await monitoring.execute('inject-nmi').catch(() => {});
    connection.destroy();
    const log = await running.output;
    expect(log).toMatch(report);
    // It was process 1.
    expect(log).toContain('Attempted to kill init! exitcode=0x0000000b');
    expect(checksOf(log).failed).toEqual([]);
  });
});
