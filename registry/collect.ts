// SPDX-License-Identifier: Apache-2.0
import type { RegistryConfig } from './config/schema.ts';
import { storageOptions } from './config/storage-options.ts';
import { type AskOptions, askToCollect } from './control/control-client.ts';
import { type CollectionReport, createCollector } from './service/collector/index.ts';
import { openStore } from './storage/open-store.ts';

export interface CollectOptions extends AskOptions {
  /** Change nothing, and say what would be done. */
  dryRun?: boolean;
  /** Begin even where another collection seems to be at work. */
  takeOver?: boolean;
}

/**
 * Collects what nothing in a registry's storage needs any more, beside the servers that work on it: on a folder by asking
 * its server, where one runs; in a bucket by itself.
 *
 * @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `CONFIG_INVALID`
 */
export async function collect(config: RegistryConfig, options: CollectOptions = {}): Promise<CollectionReport> {
  const { dryRun = false, takeOver = false, signal, onProgress } = options;
  const { storage, collection, uploads } = config;
  const times = { graceMs: collection.grace, settleMs: collection.settle, uploadIdleMs: uploads.idle };
  if (storage.driver === 'filesystem') {
    const report = await askToCollect(storage.root, { dryRun, takeOver, ...times }, { signal, onProgress });
    if (report !== undefined) return report;
  }
  const store = await openStore(storageOptions(storage), { recordCacheBytes: 0, existing: true });
  try {
    return await createCollector(store, times).run({
      dryRun,
      takeOver,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  } finally {
    await store.close();
  }
}
