// SPDX-License-Identifier: Apache-2.0
import type { RequestServerOptions } from '../http/request-server.ts';
import type { MaintenanceOptions } from '../maintenance.ts';
import type { RegistryConfig, StorageConfig } from './schema.ts';

/** What of the configuration is about answering requests. */
export function requestServerOptions(config: RegistryConfig): RequestServerOptions {
  return {
    sparseManifests: config.manifests.sparse,
    idleMs: config.connections.idle,
    logRequests: config.log.requests,
    metrics: config.metrics,
    tls: config.tls,
    blobCacheBytes: config.cache.blobs,
    corsOrigins: config.cors.origins,
    pages: config.web.pages,
    pagesHost: config.web.host,
    blobOrigin: blobOrigin(config.storage),
  };
}

/** Where a browser is sent for blobs; undefined where the registry answers them itself. */
function blobOrigin(storage: StorageConfig): string | undefined {
  if (storage.driver !== 's3' || !storage.redirect) return undefined;
  const address = storage.publicEndpoint ?? storage.endpoint;
  return address === undefined ? 'https://*.amazonaws.com' : new URL(address).origin;
}

/** What of it is about what a server does beside that. */
export function maintenanceOptions({ uploads, collection }: RegistryConfig): MaintenanceOptions {
  return {
    uploadIdleMs: uploads.idle,
    collectEveryMs: collection.every,
    graceMs: collection.grace,
    settleMs: collection.settle,
  };
}
