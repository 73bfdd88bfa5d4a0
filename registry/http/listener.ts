// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Browse } from '../browse/index.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Service } from '../service/index.ts';
import { createApp } from './app.ts';
import { crossOrigin } from './cors.ts';
import { dispatch } from './dispatch.ts';
import { answerError, explainError } from './error-answer.ts';
import { Manners } from './manners.ts';
import { nameRoute, observe } from './observe.ts';
import { answerOperations, type Operations } from './operations.ts';
import { createPages } from './page-routes.ts';
import { ROUTES } from './routes.ts';

export interface ListenerOptions {
  service: Service;
  browse: Browse;
  logger: Logger;
  metrics: Metrics;
  operations: Operations;
  /** Log every request. */
  logRequests: boolean;
  /** Whose pages may read answers, see {@link crossOrigin}. */
  corsOrigins: readonly string[];
  /** Pages for browsers; undefined where there are none. */
  pages?: PageSettings | undefined;
}

export interface PageSettings {
  /** What references begin with on pages; left out: what the request says. */
  host?: string | undefined;
  /** Whether this process serves HTTPS itself. */
  secure: boolean;
}

/**
 * What answers every request: Express, but for the reads that a registry lives on, whose routes are tried before it.
 * Both ways end in the same handlers and the same answers to errors.
 */
export function createListener({
  service,
  browse,
  logger,
  metrics,
  operations,
  logRequests,
  corsOrigins,
  pages,
}: ListenerOptions): RequestListener {
  const fail = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    answerError(request, response, error, { logger, metrics });
  };
  const manners = new Manners();
  const app = createApp(service, browse, fail, { manners, answerPage: pages && openPages(pages) });
  const answerPreflight = crossOrigin(corsOrigins);
  return (request, response) => {
    request.url = originForm(request.url ?? '/');
    observe(request, response, { logger, metrics, requests: logRequests });
    if (answerPreflight(request, response)) {
      nameRoute(response, 'preflight');
      return;
    }
    if (request.url.startsWith('/v2/')) manners.pulled();
    const early = answerEarly(request, response);
    if (early === undefined) app(request, response);
    else early.catch((error: unknown) => fail(request, response, error));
  };

  function openPages({ host, secure }: PageSettings) {
    return createPages({
      // Who serves no browser needs none of it in memory.
      open: async () => (await import('../web/index.ts')).Web.create({ browse, host, secure }),
      explain: (request, error) => explainError(request, error, { logger, metrics }),
    });
  }

  function answerEarly(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const url = request.url ?? '';
    const cut = url.indexOf('?');
    const path = cut < 0 ? url : url.slice(0, cut);
    if (!path.startsWith('/v2/')) {
      const answered = answerOperations(path, request, response, operations);
      if (answered !== undefined) nameRoute(response, 'operations');
      return answered;
    }
    const route = ROUTES.find((candidate) => candidate.path.test(path));
    return route && dispatch(route, request, response, service);
  }
}

/** Without what a client says to a proxy; servers have to understand it too (RFC 9112 section 3.2.2). */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === '' || path.startsWith('?') ? `/${path}` : path;
}
