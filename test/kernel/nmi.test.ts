// SPDX-License-Identifier: Apache-2.0
// Non-maskable interrupts, from the guest's own processors and from the monitor, while programs do all that they disturb.
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QmpClient } from '../../puller/vmm/qemu/qmp.ts';
import { type RunningGuest, startGuest } from './boot.ts';
import { type CheckedGuest, checkedGuest } from './checked-guest.ts';
import { checksOf, complaintsIn } from './checks.ts';

let folder: string;
let guest: CheckedGuest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-nmi-'));
  guest = await checkedGuest(folder, 'nmi');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sends NMIs, one after the other, from the line that asks for them to the one that has seen enough. */
async function inject(running: RunningGuest, socket: string): Promise<void> {
  await running.seen('inject');
  const connection = createConnection(socket);
  const monitor = new QmpClient(connection);
  let enough = false;
  const stop = () => {
    enough = true;
  };
  const end = running.seen('enough').then(stop, stop);
  while (!enough) await monitor.execute('inject-nmi').catch(stop);
  connection.destroy();
  await end;
}

describe.each([
  [1, 12],
  [2, 14],
  [4, 14],
])('with %i processors', (cpus, checks) => {
  test('programs and kernel outlive storms of NMIs', async () => {
    const socket = join(folder, `qmp-${cpus}`);
    const running = startGuest({ ...guest, cpus, monitor: ['-qmp', `unix:${socket},server=on,wait=off`] });
    await inject(running, socket);
    const log = await running.output;
    expect(checksOf(log)).toEqual({ passed: checks, failed: [], ended: true });
    expect(complaintsIn(log)).toEqual([]);
  });
});
