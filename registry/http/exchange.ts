// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { RegistryError } from '../errors.ts';
import type { Service } from '../service/index.ts';
import type { Body } from '../service/intake.ts';

/** One request on its way to its answer. Plain `node:http`, so that a handler runs behind Express or before it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly service: Service;
  /** What the route's path captured, as it stood in the URL. */
  readonly captures: readonly string[];
  readonly query: URLSearchParams;
}

/** Answers the request, or throws; only the error handler answers what is thrown. */
export type Handler = (exchange: Exchange) => Promise<void>;

/**
 * The whole answer, with nothing in it that was not said here: no charset, no entity tag, no encoding.
 * To a HEAD request pass the headers of the GET, and no body.
 */
export function answer(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body?: Buffer): void {
  response.writeHead(status, headers);
  endAnswer(response, body);
}

/** Ends an answer whose headers were written. Of a request with a body that nobody read, the body is received first. */
export function endAnswer(response: ServerResponse, body?: Buffer): void {
  const { req } = response;
  if (response.shouldKeepAlive || req.complete || req.destroyed || !isWorthReceiving(req)) {
    response.end(body);
    return;
  }
  // The end of this answer is the end of the connection, and a client that is cut while it sends may lose the answer too.
  if (body === undefined) response.flushHeaders();
  else response.write(body);
  req.once('close', () => response.end()).resume();
}

/** Whether a body that nobody wants is received all the same, for the client to see the answer. */
export function isWorthReceiving({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) <= RECEIVED_FOR_NOTHING;
}

/** Bytes. */
const RECEIVED_FOR_NOTHING = 64 * 1024 * 1024;

export function answerJson(exchange: Exchange, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  const body = Buffer.from(JSON.stringify(value));
  const all = { 'Content-Type': 'application/json', ...headers, 'Content-Length': body.length };
  answer(exchange.response, 200, all, exchange.request.method === 'HEAD' ? undefined : body);
}

/** @throws RegistryError `SIZE_INVALID` */
export function bodyOf(request: IncomingMessage): Body {
  // Who stops reading early must not cut the connection: the answer that says why still has to pass.
  const source = request.iterator({ destroyOnReturn: false });
  if (request.headers['transfer-encoding'] !== undefined) return { source, release };
  const length = request.headers['content-length'] ?? '0';
  if (!/^[0-9]{1,15}$/.test(length))
    throw new RegistryError('SIZE_INVALID', `the Content-Length ${length.slice(0, 80)} is not a number of bytes`);
  return { source, length: Number(length), release };
}

/**
 * Frees a chunk of a body at once. Each has memory of its own, outside of V8's heap; left to the garbage collector, every
 * 64 MiB of them cause a collection of the whole heap, which takes more than hashing and writing them.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** For bodies that have to be in memory. @param tooLarge is thrown as soon as there are more than `limit` bytes */
export async function readBody(request: IncomingMessage, limit: number, tooLarge: () => Error): Promise<Buffer> {
  const { source, length } = bodyOf(request);
  if (length !== undefined && length > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limit) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new RegistryError('CLIENT_GONE', 'the client went away in the middle of its body', { cause });
  }
  if (bytes > limit) throw tooLarge();
  return Buffer.concat(chunks);
}

/** Whether the client has this version (RFC 9110 section 13.1.2; weak comparison). */
export function isNotModified(request: IncomingMessage, etag: string): boolean {
  const known = request.headers['if-none-match'];
  if (known === undefined) return false;
  return known.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/**
 * What the client knows to be there, or not to be (RFC 9110 sections 13.1.1 and 13.1.2), for requests that change
 * something: whether it is to be done where `current` is there now, undefined for nothing.
 */
export function conditionOf({ headers }: IncomingMessage): ((current: string | undefined) => boolean) | undefined {
  const [match, noneMatch] = [headers['if-match'], headers['if-none-match']];
  if (match === undefined && noneMatch === undefined) return undefined;
  const names = (list: string, current: string | undefined) =>
    current !== undefined && list.split(',').some((tag) => tag.trim() === '*' || tag.trim() === `"${current}"`);
  return (current) =>
    (match === undefined || names(match, current)) && (noneMatch === undefined || !names(noneMatch, current));
}

/**
 * Something that the client should be told although its request was granted (distribution-spec, "Warnings"). Before
 * the answer; `text` is ASCII and short, as all of an answer's have 4096 bytes together.
 */
export function warn(response: ServerResponse, text: string): void {
  response.appendHeader('Warning', `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`);
}

/** A parameter that is given once and not empty. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}
