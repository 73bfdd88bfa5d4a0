// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { listenAddress } from './config/listen-address.ts';
import { maintenanceOptions, requestServerOptions } from './config/registry-options.ts';
import type { RegistryConfig } from './config/schema.ts';
import { storageOptions } from './config/storage-options.ts';
import { createLogger } from './log.ts';
import type { Logger } from './logger.ts';
import type { Serving } from './serving.ts';

/**
 * Serves a registry as the configuration says: in this process where one worker is asked for, else in as many worker
 * processes, with this one as their primary.
 *
 * @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `LISTEN_FAILED`, `CONFIG_INVALID`
 */
export async function serve(config: RegistryConfig): Promise<Serving> {
  const logger = createLogger(config.log);
  if (config.workers > 1) return (await import('./workers/primary.ts')).servePrimary(config, logger);
  return serveAlone(config, logger);
}

async function serveAlone(config: RegistryConfig, logger: Logger): Promise<Serving> {
  const { createRegistry } = await import('./registry.ts');
  const registry = await createRegistry({
    ...requestServerOptions(config),
    ...maintenanceOptions(config),
    logger,
    storage: storageOptions(config.storage),
    recordCacheBytes: config.cache.records,
  });
  try {
    const { url } = await registry.listen(listenAddress(config.listen));
    return {
      url,
      workers: 1,
      reload() {
        try {
          registry.reloadCertificate();
        } catch (error) {
          logger.error({ err: error }, 'kept the old certificate');
        }
      },
      async close() {
        registry.drain();
        if (config.connections.drain > 0) await wait(config.connections.drain);
        await registry.close({ graceMs: config.connections.grace });
      },
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}
