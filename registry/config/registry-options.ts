// SPDX-License-Identifier: Apache-2.0
import type { RequestServerOptions } from '../http/request-server.ts';
import type { MaintenanceOptions } from '../maintenance.ts';
import type { RegistryConfig } from './schema.ts';

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
  };
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
