// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { RegistryError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Service } from '../service/index.ts';
import { answerError } from './error-answer.ts';
import { ROUTES, type Route } from './routes.ts';

/** The Express application: routes, and the one handler of errors. Handlers write answers themselves, byte for byte. */
export function createApp(service: Service, logger: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  for (const route of ROUTES) {
    app.all(withoutCaptures(route.path), (request, response) => handle(route, request, response, service));
  }
  app.use((request) => {
    throw new RegistryError('ROUTE_UNKNOWN', `nothing is at ${request.path.slice(0, 300)}`);
  });
  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    answerError(request, response, error, logger);
  };
  app.use(onError);
  return app;
}

/** Express would decode what the path captures, and turn `a%2fb` into a name. */
function withoutCaptures(path: RegExp): RegExp {
  return new RegExp(path.source.replaceAll(/\((?!\?)/g, '(?:'));
}

async function handle(route: Route, request: IncomingMessage, response: ServerResponse, service: Service) {
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  const handler = Object.hasOwn(route.methods, request.method ?? '') ? route.methods[request.method ?? ''] : undefined;
  if (handler === undefined) {
    const allowed = Object.keys(route.methods).join(', ');
    response.setHeader('Allow', allowed);
    throw new RegistryError('METHOD_UNSUPPORTED', `${request.method} is not possible here, only ${allowed}`);
  }
  const url = request.url ?? '/';
  const cut = url.indexOf('?');
  const path = cut < 0 ? url : url.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : url.slice(cut));
  await handler({ request, response, service, query, captures: capturesOf(route, path) });
}

/** What stands in the path. Only the last capture may be percent-encoded: a repository's name never has to be. */
function capturesOf(route: Route, path: string): string[] {
  const [name, last] = (route.path.exec(path) ?? []).slice(1);
  if (name === undefined) return [];
  if (last === undefined) return [name];
  try {
    return [name, decodeURIComponent(last)];
  } catch (cause) {
    throw new RegistryError('PARAMETER_INVALID', 'the path is not percent-encoded UTF-8', { cause });
  }
}
