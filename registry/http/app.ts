// SPDX-License-Identifier: Apache-2.0
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Browse } from '../browse/index.ts';
import { RegistryError } from '../errors.ts';
import type { Service } from '../service/index.ts';
import { createApi } from './api/router.ts';
import { dispatch } from './dispatch.ts';
import type { AnswerError } from './error-answer.ts';
import { Manners } from './manners.ts';
import type { AnswerPage } from './page-routes.ts';
import { ROUTES } from './routes.ts';

/** The Express application: routes, and the one handler of errors. Handlers write answers themselves, byte for byte. */
export function createApp(
  service: Service,
  browse: Browse,
  answerError: AnswerError,
  { manners = new Manners(), answerPage }: { manners?: Manners; answerPage?: AnswerPage | undefined } = {},
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  for (const route of ROUTES) {
    app.all(withoutCaptures(route.path), (request, response) => dispatch(route, request, response, service));
  }
  // Everything that is not the protocol makes room for it.
  app.use(async (_request, response, next) => {
    const entered = await manners.enter();
    response.once('close', () => entered[Symbol.dispose]());
    next();
  });
  app.use('/api/v1', createApi(browse));
  app.use((request, response, next) => {
    if (!answerPage?.(request, response)) next();
  });
  app.use((request) => {
    throw new RegistryError('ROUTE_UNKNOWN', `there is nothing at ${request.path.slice(0, 300)}`);
  });
  const onError: ErrorRequestHandler = (error, request, response, _next) => answerError(request, response, error);
  app.use(onError);
  return app;
}

/** Express would decode what the path captures, and turn `a%2fb` into a name. */
function withoutCaptures(path: RegExp): RegExp {
  return new RegExp(path.source.replaceAll(/\((?!\?)/g, '(?:'));
}
