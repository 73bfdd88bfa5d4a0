// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../operations/metrics.ts';
import { MissingContent } from '../service/manifests.ts';
import { answer, isWorthReceiving } from './exchange.ts';

/**
 * Status and code for each of ours. The distribution specification ("Error Codes") closes the list of codes that a 4xx
 * may have, so what it has no code for has the nearest one, and the message says it.
 */
const ANSWERS: Record<RegistryErrorCode, readonly [status: number, code: string]> = {
  NAME_INVALID: [400, 'NAME_INVALID'],
  NAME_UNKNOWN: [404, 'NAME_UNKNOWN'],
  TAG_INVALID: [400, 'MANIFEST_INVALID'],
  DIGEST_INVALID: [400, 'DIGEST_INVALID'],
  SIZE_INVALID: [400, 'SIZE_INVALID'],
  BLOB_UNKNOWN: [404, 'BLOB_UNKNOWN'],
  UPLOAD_UNKNOWN: [404, 'BLOB_UPLOAD_UNKNOWN'],
  UPLOAD_INVALID: [400, 'BLOB_UPLOAD_INVALID'],
  UPLOAD_OUT_OF_ORDER: [416, 'BLOB_UPLOAD_INVALID'],
  MANIFEST_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  MANIFEST_INVALID: [400, 'MANIFEST_INVALID'],
  MANIFEST_TOO_LARGE: [413, 'SIZE_INVALID'],
  MANIFEST_BLOB_UNKNOWN: [400, 'MANIFEST_BLOB_UNKNOWN'],
  FILE_UNKNOWN: [404, 'FILE_UNKNOWN'],
  CONTENT_UNREADABLE: [422, 'CONTENT_UNREADABLE'],
  RANGE_INVALID: [416, 'SIZE_INVALID'],
  PARAMETER_INVALID: [400, 'UNSUPPORTED'],
  TAGS_TOO_MANY: [414, 'UNSUPPORTED'],
  CONDITION_FAILED: [412, 'DENIED'],
  ROUTE_UNKNOWN: [404, 'UNSUPPORTED'],
  METHOD_UNSUPPORTED: [405, 'UNSUPPORTED'],
  // A client that went away reads no answer; one that only closed its half does.
  CLIENT_GONE: [400, 'SIZE_INVALID'],
  STORAGE_FULL: [507, 'STORAGE_FULL'],
  STORAGE_UNAVAILABLE: [503, 'STORAGE_UNAVAILABLE'],
  // Another server took the folder over; behind a balancer the next try finds that one.
  STORAGE_IN_USE: [503, 'STORAGE_UNAVAILABLE'],
  STORAGE_DAMAGED: [500, 'STORAGE_DAMAGED'],
  DATA_UNKNOWN: [500, 'STORAGE_DAMAGED'],
  KEY_INVALID: [500, 'UNKNOWN'],
  LISTEN_FAILED: [500, 'UNKNOWN'],
  CONFIG_INVALID: [500, 'UNKNOWN'],
  COLLECTION_ENDED: [500, 'UNKNOWN'],
};

export type AnswerError = (request: IncomingMessage, response: ServerResponse, error: unknown) => void;

/** The one place that answers errors. Headers which a handler has set already stay. */
export function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): void {
  const { status, code, message, detail } = explainError(request, error, { logger, metrics });

  if (response.headersSent) {
    // Too late for an answer; a connection that is cut is one that no client takes for the end of a blob.
    response.destroy();
    return;
  }
  const body = Buffer.from(
    JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }),
  );
  answer(
    response,
    status,
    {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      ...(status === 503 ? { 'Retry-After': '5' } : {}),
      ...(isWorthReceiving(request) ? {} : { Connection: 'close' }),
    },
    request.method === 'HEAD' ? undefined : body,
  );
  // The rest of a refused body, to nowhere.
  if (!request.destroyed) request.resume();
}

/** What is said of an error, on a page as in an answer of the protocol. Logs and counts it. */
export function explainError(
  request: IncomingMessage,
  error: unknown,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): ReturnType<typeof describe> {
  const explained = describe(error, request.url?.startsWith('/api/') ?? false);
  const { status, code, message } = explained;
  const fields = { method: request.method, url: request.url, status, code };
  if (status >= 500) {
    logger.error({ ...fields, err: error }, message);
    metrics.failed(error instanceof RegistryError ? error.code : 'UNEXPECTED');
  } else {
    // What a client did wrong, or asked for to see whether it is there: the client is told, that is enough.
    logger.debug(fields, message);
  }
  return explained;
}

/** @param ownCodes answer our code as it is: only the protocol has a list that answers must keep to */
function describe(
  error: unknown,
  ownCodes: boolean,
): { status: number; code: string; message: string; detail?: unknown } {
  if (error instanceof RegistryError) {
    const [status, listed] = ANSWERS[error.code];
    const code = ownCodes ? error.code : listed;
    const hint = error.hint === undefined ? '' : `; ${error.hint}`;
    const detail = error instanceof MissingContent ? error.digests.map((digest) => ({ digest })) : undefined;
    return { status, code, message: error.message + hint, ...(detail === undefined ? {} : { detail }) };
  }
  // Express says so of URLs that it cannot read.
  if (error instanceof Error && 'status' in error && error.status === 400) {
    return { status: 400, code: 'UNSUPPORTED', message: 'the request cannot be read' };
  }
  return { status: 500, code: 'UNKNOWN', message: 'something unexpected failed in the registry; its log says what' };
}
