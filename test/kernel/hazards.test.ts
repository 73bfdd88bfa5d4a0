// SPDX-License-Identifier: Apache-2.0
// What programs in ring 0 must not do (docs/kernel.md) has a clear end: a signal, or a report and the machine's end.
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QmpClient } from '../../puller/vmm/qemu/qmp.ts';
import { bootGuest, startGuest } from './boot.ts';
import { checkedGuest } from './checked-guest.ts';
import { checksOf, complaintsIn, linesOf } from './checks.ts';
import { isAnswered } from './hazards/answered.ts';
import { outcomesOf } from './hazards/vectors.ts';

const CPUS = [1, 2];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-hazards-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The name of a group, with the reason where it is skipped. */
const named = (name: string, answered: boolean) => (answered ? name : `${name} (skipped: no patch answers it yet)`);

const vectors = isAnswered('vectors');
describe.skipIf(!vectors).each(CPUS)(named('int n with %i processors', vectors), (cpus) => {
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
  const answered = isAnswered(group);
  test.skipIf(!answered).each(CPUS)(named(`${name}, with %i processors`, answered), async (cpus) => {
    const log = await bootGuest({ ...(await checkedGuest(folder, `hazards/${group}`)), cpus });
    expect(checksOf(log)).toEqual({ passed: checks, failed: [], ended: true });
    expect(complaintsIn(log)).toEqual([]);
  });
});

describe.each([
  ['cli', 'a program that spins with interrupts off', 'spinning'],
  ['gs', 'a program that loads GS', 'gsLost'],
] as const)('%s', (what, name, hazard) => {
  const answered = isAnswered(hazard);
  test.skipIf(!answered)(named(`${name} ends with a report, by an NMI at the latest`, answered), async () => {
    const socket = join(folder, `qmp-${what}`);
    const guest = await checkedGuest(folder, 'hazards/deaf');
    const monitor = ['-qmp', `unix:${socket},server=on,wait=off`];
    const running = startGuest({ ...guest, cpus: 1, append: `-- ${what}`, monitor });
    await running.seen('deaf');
    const connection = createConnection(socket);
    // It may be faster, and gone.
    await new QmpClient(connection).execute('inject-nmi').catch(() => {});
    connection.destroy();
    const log = await running.output;
    expect(log).toMatch(/Kernel panic - not syncing/);
    expect(checksOf(log).failed).toEqual([]);
  });
});
