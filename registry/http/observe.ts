// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../operations/metrics.ts';

export interface ObserveOptions {
  logger: Logger;
  metrics: Metrics;
  /** Log every request. */
  requests: boolean;
}

/** Methods that are told apart; a client may say any of those that HTTP ever had. */
const COUNTED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** What is known of a request once a route was found. */
const ROUTE = Symbol('route');
interface Routed {
  [ROUTE]?: string;
}

export function nameRoute(response: ServerResponse, route: string): void {
  (response as Routed)[ROUTE] = route;
}

/** Counts a request, and logs it if that is wanted, when its answer ended or was broken off. */
export function observe(request: IncomingMessage, response: ServerResponse, options: ObserveOptions): void {
  const { metrics, logger } = options;
  const begun = performance.now();
  const { socket } = request;
  const [read, written] = [socket.bytesRead, socket.bytesWritten];
  // A connection that was broken off does not say any more whose it was.
  const client = options.requests ? socket.remoteAddress : undefined;
  metrics.begin();
  response.once('close', () => {
    const milliseconds = performance.now() - begun;
    const observed = {
      route: (response as Routed)[ROUTE] ?? 'other',
      method: COUNTED.has(request.method ?? '') ? (request.method ?? '') : 'other',
      // A client that left before anything was said to it; nginx's number for that.
      status: response.headersSent ? response.statusCode : 499,
      seconds: milliseconds / 1000,
      bytesReceived: socket.bytesRead - read,
      bytesSent: socket.bytesWritten - written,
    };
    metrics.end(observed);
    if (!options.requests) return;
    logger.info(
      {
        method: request.method,
        url: request.url,
        status: observed.status,
        milliseconds: Math.round(milliseconds * 10) / 10,
        sent: observed.bytesSent,
        whole: response.writableFinished,
        client,
        agent: request.headers['user-agent'],
      },
      'request',
    );
  });
}
