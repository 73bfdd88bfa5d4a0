// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PullerError } from '../../errors.ts';
import { Claims } from './claims.ts';

const FOLDER = '.lock';
const WAIT_MS = 30_000;
const PAUSE_MS = 10;

/**
 * Does one thing while no other process makes or renames an instance: names must be unique. The lock of a process that
 * was killed is free at once.
 *
 * @throws PullerError `INSTANCE_BUSY` where another process has the lock and does not go on
 */
export async function whileNobodyElseChanges<T>(instances: string, work: () => Promise<T>): Promise<T> {
  const claims = new Claims(join(instances, FOLDER));
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const claim = await claims.take('change');
    if (claim !== undefined) {
      try {
        return await work();
      } finally {
        await claims.release(claim);
      }
    }
    if (performance.now() > end) {
      const pid = (await claims.current())?.owner.pid;
      throw new PullerError('INSTANCE_BUSY', `process ${pid} is changing instances and does not go on`, {
        hint: `look what stops it, or end it: kill -9 ${pid}`,
      });
    }
    await delay(PAUSE_MS + Math.random() * PAUSE_MS);
  }
}
