// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError } from '../errors.ts';
import type { Service } from '../service/index.ts';
import { nameRoute } from './observe.ts';
import type { Route } from './routes.ts';

/** Runs a route's handler for a request whose path it matches. @throws RegistryError what the answer should say */
export async function dispatch(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  service: Service,
): Promise<void> {
  nameRoute(response, route.name);
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  const handler = Object.hasOwn(route.methods, request.method ?? '') ? route.methods[request.method ?? ''] : undefined;
  if (handler === undefined) {
    const allowed = Object.keys(route.methods).join(', ');
    response.setHeader('Allow', allowed);
    throw new RegistryError('METHOD_UNSUPPORTED', `the method ${request.method} is not supported here; ${allowed} are`);
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
