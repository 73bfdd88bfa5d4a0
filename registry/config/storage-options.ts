// SPDX-License-Identifier: Apache-2.0
import type { StorageOptions } from '../storage/open-store.ts';
import type { StorageConfig } from './schema.ts';

/** The storage of the configuration, as its driver wants it. */
export function storageOptions(storage: StorageConfig): StorageOptions {
  if (storage.driver === 'filesystem') return storage;
  const { timeout, ...others } = storage;
  return { ...others, timeoutMs: timeout };
}
