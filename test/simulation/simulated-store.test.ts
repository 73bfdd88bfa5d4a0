// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { storageContract } from '../../registry/storage/contract.suite.ts';
import { SimulatedStore } from './simulated-store.ts';

// A simulation says something about real stores only if its own keeps the contract.
const behind = new WeakMap<object, SimulatedStore>();
const open = (store: SimulatedStore) => {
  const opened = store.through(async (_, effect) => {
    await setImmediate();
    return effect();
  });
  behind.set(opened, store);
  return opened;
};

storageContract('simulated', {
  open: async () => open(new SimulatedStore(() => Date.now())),
  second: async (store) => open(behind.get(store) ?? new SimulatedStore(() => Date.now())),
  remove: async () => undefined,
});
