// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { METRICS_TYPE } from '../operations/metrics.ts';
import { answer } from './exchange.ts';

/** What the people and machines that run the registry ask it. */
export interface Operations {
  /** All processes' metrics as text; absent where they are switched off. */
  metrics?(): Promise<string>;
  /** Why no requests should be sent here now; undefined where they should. */
  unready(): Promise<string | undefined>;
}

const TEXT = 'text/plain; charset=utf-8';

/** @returns undefined where the path is none of these; they are outside of `/v2/`, where no repository can be */
export function answerOperations(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  operations: Operations,
): Promise<void> | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  switch (path) {
    case '/healthz':
      return say(request, response, 200, TEXT, 'ok\n');
    case '/readyz':
      return ready(request, response, operations);
    case '/metrics':
      return operations.metrics === undefined ? undefined : metrics(request, response, operations.metrics);
  }
  return undefined;
}

async function ready(request: IncomingMessage, response: ServerResponse, operations: Operations): Promise<void> {
  const reason = await operations.unready();
  await say(request, response, reason === undefined ? 200 : 503, TEXT, `${reason ?? 'ok'}\n`);
}

async function metrics(
  request: IncomingMessage,
  response: ServerResponse,
  collect: () => Promise<string>,
): Promise<void> {
  await say(request, response, 200, METRICS_TYPE, await collect());
}

async function say(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
): Promise<void> {
  const body = Buffer.from(text);
  const headers = { 'Content-Type': type, 'Content-Length': body.length, 'Cache-Control': 'no-store' };
  answer(response, status, headers, request.method === 'HEAD' ? undefined : body);
}
