// SPDX-License-Identifier: Apache-2.0
import type { ListenOptions } from './http/listen.ts';
import { RequestServer, type RequestServerOptions } from './http/request-server.ts';
import { SILENT } from './logger.ts';
import { Maintenance, type MaintenanceOptions } from './maintenance.ts';
import { openStore, type StorageOptions } from './storage/open-store.ts';

export interface RegistryOptions extends RequestServerOptions, MaintenanceOptions {
  storage: StorageOptions;
  /** Bytes of manifests, tags and the like kept in memory. Default 64 MiB. */
  recordCacheBytes?: number;
}

export interface Registry {
  /** @throws RegistryError `LISTEN_FAILED` */
  listen(options: ListenOptions): Promise<{ url: string; port: number }>;
  /** Reads the certificate's files again. @throws RegistryError `CONFIG_INVALID`; the old one stays */
  reloadCertificate(): void;
  /** `/readyz` says no from now on. */
  drain(): void;
  /** Ends: no new connections, requests under way may end for `graceMs` (default 10 s), the storage is let go. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * A registry in this process. @see serve for one of several processes
 *
 * @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `CONFIG_INVALID`
 */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { storage, recordCacheBytes } = options;
  const store = await openStore(storage, { recordCacheBytes });
  let server: RequestServer;
  try {
    server = new RequestServer(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
  const root = storage.driver === 'filesystem' ? storage.root : undefined;
  const maintenance = new Maintenance({ store, service: server.service, root }, options.logger ?? SILENT, options);
  await maintenance.ready;

  let closing: Promise<void> | undefined;
  return {
    listen: (where) => server.listen(where),
    reloadCertificate: () => server.reloadCertificate(),
    drain: () => server.drain(),
    close({ graceMs = 10_000 } = {}) {
      closing ??= (async () => {
        await server.close(graceMs);
        await maintenance.stop();
        await store.close();
      })();
      return closing;
    },
  };
}
