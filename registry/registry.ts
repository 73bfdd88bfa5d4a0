// SPDX-License-Identifier: Apache-2.0
import { createApp } from './http/app.ts';
import { HttpServer, type ListenOptions } from './http/server.ts';
import { type Logger, SILENT } from './logger.ts';
import { createService } from './service/index.ts';
import { FilesystemStore } from './storage/filesystem/index.ts';

const HOUR_MS = 60 * 60 * 1000;

export interface RegistryOptions {
  /** `root` is a folder, made where it is missing; one server at a time runs on it. */
  storage: { driver: 'filesystem'; root: string };
  /** Default: says nothing. */
  logger?: Logger;
  /** Take manifests that name blobs or manifests which their repository does not hold. Default false. */
  sparseManifests?: boolean;
  /** How long an unfinished upload may rest before it is given up, milliseconds. Default: a week. */
  uploadIdleMs?: number;
}

export interface Registry {
  /** @throws RegistryError `LISTEN_FAILED` */
  listen(options: ListenOptions): Promise<{ url: string; port: number }>;
  /** Ends: no new connections, requests under way may end for `graceMs` (default 10 s), the storage is let go. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL` */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const logger = options.logger ?? SILENT;
  const store = await FilesystemStore.open({ root: options.storage.root });
  const service = createService(store, { sparse: options.sparseManifests ?? false });
  const server = new HttpServer(createApp(service, logger));

  const expire = async () => {
    try {
      const given = await service.uploads.expire(options.uploadIdleMs ?? 7 * 24 * HOUR_MS);
      if (given > 0) logger.info({ uploads: given }, 'gave up unfinished uploads');
    } catch (error) {
      logger.warn({ err: error }, 'could not look for unfinished uploads');
    }
  };
  let expiring = expire();
  const timer = setInterval(() => {
    expiring = expire();
  }, HOUR_MS);
  timer.unref();

  let closing: Promise<void> | undefined;
  return {
    listen: (where) => server.listen(where),
    close({ graceMs = 10_000 } = {}) {
      closing ??= (async () => {
        clearInterval(timer);
        await server.close(graceMs);
        await expiring;
        await store.close();
      })();
      return closing;
    },
  };
}
