// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { SILENT } from './logger.ts';
import { Maintenance } from './maintenance.ts';
import { createService } from './service/index.ts';
import type { ListOptions, ObjectStore } from './storage/contract.ts';
import { FilesystemStore } from './storage/filesystem/index.ts';

test('collections that take longer than their turn comes round do not pile up', async () => {
  const root = await mkdtemp(join(tmpdir(), 'uk-maintenance-'));
  const store = await FilesystemStore.open({ root });
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  let slow = false;
  const gated: ObjectStore = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (name !== 'list') return typeof member === 'function' ? member.bind(target) : member;
      return async (options: ListOptions) => {
        entered.resolve();
        if (slow) await gate.promise;
        return target.list(options);
      };
    },
  });
  const collected = vi.fn();
  const logger = { ...SILENT, info: collected };
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const options = { collectEveryMs: 1000 };
    const maintenance = new Maintenance({ store: gated, service: createService(gated) }, logger, options);
    await maintenance.ready;
    slow = true;
    vi.advanceTimersByTime(60_000);
    await entered.promise;
    vi.advanceTimersByTime(60_000);
    gate.resolve();
    await maintenance.ready;
    expect(collected.mock.calls.length).toBeLessThanOrEqual(2);
    expect(collected).toHaveBeenCalled();
    await maintenance.stop();
  } finally {
    vi.useRealTimers();
    await store.close();
    await rm(root, { recursive: true });
  }
});
