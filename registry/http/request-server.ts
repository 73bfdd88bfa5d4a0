// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { type Browse, createBrowse } from '../browse/index.ts';
import { RegistryError } from '../errors.ts';
import { type Logger, SILENT } from '../logger.ts';
import { Metrics, type MetricsSnapshot, mergeMetrics } from '../operations/metrics.ts';
import { createService, type Service } from '../service/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import type { ListenOptions } from './listen.ts';
import { createListener, type PageSettings } from './listener.ts';
import { HttpServer, type TlsFiles } from './server.ts';

export interface RequestServerOptions {
  logger?: Logger | undefined;
  /** Take manifests that name blobs or manifests which their repository does not hold. Default false. */
  sparseManifests?: boolean | undefined;
  /** How long a client may be silent in the middle of a request or answer, milliseconds. Default 90 s. */
  idleMs?: number | undefined;
  /** Log every request, not only those that the server failed. Default false. */
  logRequests?: boolean | undefined;
  /** Answer `/metrics`. Default true. */
  metrics?: boolean | undefined;
  /** Serve HTTPS with these. */
  tls?: TlsFiles | undefined;
  /** Bytes of small, often read blobs kept in memory. Default 64 MiB. */
  blobCacheBytes?: number | undefined;
  /** Origins whose pages may read answers; `*` is every one. Default: none. */
  corsOrigins?: readonly string[] | undefined;
  /** Show pages to browsers. Default true. */
  pages?: boolean | undefined;
  /** What references begin with on pages. Default: what the request says. */
  pagesHost?: string | undefined;
}

const MIB = 1024 * 1024;
/** A server that was just started has more urgent things to do. */
const WARM_AFTER_MS = 3_000;

/** What one process does of a registry: answers requests out of a store that others may have open too. */
export class RequestServer {
  readonly service: Service;
  readonly browse: Browse;
  readonly #store: ObjectStore;
  readonly #metrics = new Metrics();
  readonly #server: HttpServer;
  #stopping = false;
  #warming: NodeJS.Timeout | undefined;

  /** @param allMetrics of all processes of this server; left out: this one's */
  constructor(store: ObjectStore, options: RequestServerOptions, allMetrics?: () => Promise<MetricsSnapshot[]>) {
    this.#store = store;
    const metrics = this.#metrics;
    this.service = createService(store, {
      sparse: options.sparseManifests ?? false,
      blobCache: {
        limit: options.blobCacheBytes ?? 64 * MIB,
        onRead: (result) => metrics.blobCache(result),
      },
    });
    this.browse = createBrowse({ store, service: this.service });
    const collect = allMetrics ?? (async () => [await this.snapshot()]);
    const listener = createListener({
      service: this.service,
      browse: this.browse,
      logger: options.logger ?? SILENT,
      metrics,
      logRequests: options.logRequests ?? false,
      corsOrigins: options.corsOrigins ?? [],
      pages: pageSettings(options),
      operations: {
        unready: () => this.#unready(),
        ...(options.metrics === false ? {} : { metrics: async () => mergeMetrics(await collect()) }),
      },
    });
    this.#server = new HttpServer(listener, {
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
  }

  /** @throws RegistryError `LISTEN_FAILED` */
  listen(where: ListenOptions): Promise<{ url: string; port: number }> {
    this.#warmUp();
    return this.#server.listen(where);
  }

  /** In place of {@link listen}: connections come by {@link accept}. */
  begin(): void {
    this.#warmUp();
    this.#server.begin();
  }

  /** A connection that another process took. */
  accept(socket: Socket): void {
    this.#server.accept(socket);
  }

  /** What this process has counted. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.#metrics.snapshot();
  }

  /** Reads the certificate again; connections that are there keep the one they have. @throws RegistryError `CONFIG_INVALID` */
  reloadCertificate(): void {
    this.#server.reloadCertificate();
  }

  /** From now on `/readyz` says no; everything else goes on. */
  drain(): void {
    this.#stopping = true;
  }

  /** Takes no new connections; requests under way may end for `graceMs`. The store stays open. */
  async close(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#warming);
    await this.#server.close(graceMs);
    await this.browse.close();
  }

  /** Reads the names of repositories, so that the first who searches need not wait for that. */
  #warmUp(): void {
    this.#warming = setTimeout(() => {
      // Who asks later meets the same failure, if it lasts.
      this.browse.repositories({ size: 1 }).catch(() => undefined);
    }, WARM_AFTER_MS);
    this.#warming.unref();
  }

  async #unready(): Promise<string | undefined> {
    if (this.#stopping) return 'the server is stopping';
    try {
      if (this.#store.check !== undefined) await this.#store.check();
      // Any key will do: what counts is that the store says whether it is there.
      else await this.#store.get('catalog/readiness!');
      return undefined;
    } catch (error) {
      return error instanceof RegistryError ? error.message : 'the storage cannot be read';
    }
  }
}

function pageSettings({ pages = true, pagesHost, tls }: RequestServerOptions): PageSettings | undefined {
  return pages ? { host: pagesHost, secure: tls !== undefined } : undefined;
}
