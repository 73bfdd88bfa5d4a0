// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import type { ZodError } from 'zod';
import type { Browse, Made, OpenFile } from '../../browse/index.ts';
import { RegistryError } from '../../errors.ts';
import { answer } from '../exchange.ts';
import { nameRoute } from '../observe.ts';
import { openApi } from './openapi.ts';
import { OPERATIONS, type Operation } from './operations.ts';

/** How long a client waits before it asks again for something that is being made, seconds. */
const AGAIN_SECONDS = 1;

/** The API for browsing, to be mounted at `/api/v1`. It reads only. */
export function createApi(browse: Browse): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const on = (
    path: string,
    id: string,
    run: (query: URLSearchParams, request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ) => {
    router.all(path, async (request, response) => {
      nameRoute(response, `api ${id}`);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        throw new RegistryError('METHOD_UNSUPPORTED', `the method ${request.method} is not supported here; GET is`);
      }
      const url = request.originalUrl;
      await run(new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : ''), request, response);
    });
  };
  on('/openapi.json', 'openapi', async (_query, request, response) => answerJson(request, response, 200, openApi()));
  for (const operation of OPERATIONS) {
    on(operation.path, operation.id, async (query, request, response) => {
      const result = await operation.run(browse, readQuery(operation, query));
      if (operation.answer === undefined) return answerFile(request, response, result as Made<OpenFile>);
      answerJson(request, response, isBeingMade(result) ? 202 : 200, result);
    });
  }
  return router;
}

/** @throws RegistryError `PARAMETER_INVALID` */
function readQuery(operation: Operation, query: URLSearchParams): Record<string, unknown> {
  const given: Record<string, string> = {};
  for (const [name, value] of query) {
    if (Object.hasOwn(given, name)) throw invalid(`the parameter ${show(name)} is there twice`);
    given[name] = value;
  }
  const result = operation.query.safeParse(given);
  if (!result.success) throw invalid(complaint(result.error));
  return result.data;
}

function complaint({ issues: [issue] }: ZodError): string {
  if (issue?.code === 'unrecognized_keys') return `there is no parameter ${show(issue.keys[0] ?? '')} here`;
  const name = String(issue?.path[0] ?? '');
  return `the parameter ${show(name)}: ${issue?.message ?? 'cannot be read'}`;
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function invalid(message: string): RegistryError {
  return new RegistryError('PARAMETER_INVALID', message, { hint: '/api/v1/openapi.json lists them' });
}

function isBeingMade(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'state' in result && result.state === 'making';
}

function answerJson(request: IncomingMessage, response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    // True for the moment; whoever keeps it asks again.
    'Cache-Control': 'private, no-cache',
    'X-Content-Type-Options': 'nosniff',
    ...(status === 202 ? { 'Retry-After': AGAIN_SECONDS } : {}),
  };
  answer(response, status, headers, request.method === 'HEAD' ? undefined : body);
}

/** A file of an image may be a page with scripts: it is only ever saved, never shown by a browser. */
async function answerFile(request: IncomingMessage, response: ServerResponse, made: Made<OpenFile>): Promise<void> {
  if (made.state === 'refused') throw new RegistryError('CONTENT_UNREADABLE', made.reason.message);
  if (made.state === 'making') return answerJson(request, response, 202, made);
  await using file = made.value;
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': file.size,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name.toWellFormed())}`,
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-cache',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(file.content, response);
}
