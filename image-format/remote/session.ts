// SPDX-License-Identifier: Apache-2.0

import type { Readable } from 'node:stream';
import { ImageError } from '../errors.ts';
import { answerError } from './answer-error.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { backoff, pause } from './backoff.ts';
import type { HostOptions } from './remote.ts';
import { discard, type HttpAnswer, type HttpRequest, isHopeless, networkError, type Transport } from './transport.ts';

export interface Call {
  method: HttpRequest['method'];
  /** Relative to the registry, or as the registry gave it. */
  url: URL;
  headers?: Readonly<Record<string, string>>;
  body?: (() => Readable) | Buffer;
  /** What the token must allow: `repository:NAME:pull`. */
  scope: string;
  /** Statuses that are no errors. */
  expect: readonly number[];
  /** What is being done, in one phrase for errors. */
  what: string;
  signal?: AbortSignal | undefined;
  /** Default: the session's. 1 for what must not be repeated as it is. */
  attempts?: number;
}

export interface SessionOptions {
  registry: string;
  endpoint: URL;
  transport: Transport;
  authorizer: Authorizer;
  attempts: number;
  backoffMs: number;
  /** How long the registry may send nothing of an answer to a GET or HEAD. */
  readTimeoutMs: number;
  userAgent: string;
  host?: HostOptions | undefined;
}

const MAX_REDIRECTS = 5;
/** How long a registry may make us wait (`Retry-After`), in seconds. */
const MAX_RETRY_AFTER_S = 300;
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);
const REDIRECT = new Set([301, 302, 303, 307, 308]);

/** Calls to one registry: authorized, redirected and repeated as far as that is safe. */
export class Session {
  readonly options: SessionOptions;
  /** A registry that has answered once is worth waiting for. */
  #hasAnswered = false;
  /** Until when the registry wants no requests, of none of those who wait for it; milliseconds since 1970. */
  #notBefore = 0;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** @throws ImageError for every answer that was not expected */
  async call(call: Call): Promise<HttpAnswer> {
    const { endpoint, registry } = this.options;
    const attempts = call.attempts ?? this.options.attempts;
    for (let attempt = 1; ; attempt++) {
      let answer: HttpAnswer;
      await pause(this.#notBefore - Date.now(), call.signal);
      try {
        answer = await this.#authorized(call);
        this.#hasAnswered = true;
      } catch (error) {
        if (attempt >= attempts || !this.mayRetry(error, call.signal)) throw networkError(error, endpoint, call.signal);
        await this.pause(attempt, call.signal);
        continue;
      }
      if (call.expect.includes(answer.status)) return answer;
      if (attempt >= attempts || !TRANSIENT.has(answer.status)) throw await answerError(answer, call.what, registry);
      this.#notBefore = Math.max(this.#notBefore, Date.now() + retryAfterMs(answer));
      await answer.body.dump();
      await this.pause(attempt, call.signal);
    }
  }

  /** Whether another attempt may go better. */
  mayRetry(error: unknown, signal: AbortSignal | undefined): boolean {
    if (signal?.aborted || error instanceof ImageError) return false;
    return this.#hasAnswered || !isHopeless(error);
  }

  async pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    await pause(backoff(attempt, this.options.backoffMs), signal);
  }

  async #authorized(call: Call): Promise<HttpAnswer> {
    const { authorizer, endpoint } = this.options;
    const sent = authorizer.header(call.scope);
    const { answer: first, url } = await this.#redirected(call);
    // Whoever else asks for a login, at the end of a redirect or where an upload goes, could name a realm of its own.
    if (first.status !== 401 || url.origin !== endpoint.origin) return first;
    const asked = first.headers['www-authenticate'];
    authorizer.forget(call.scope, sent);
    // Somebody else may have got a newer token in the meantime.
    const renewed = authorizer.header(call.scope) !== undefined;
    try {
      if (!renewed && (asked === undefined || !(await authorizer.answer(asked, call.scope, call.signal)))) return first;
    } catch (error) {
      discard(first);
      throw error;
    }
    await first.body.dump();
    return (await this.#redirected(call)).answer;
  }

  /** @returns the last answer, and who gave it */
  async #redirected(call: Call): Promise<{ answer: HttpAnswer; url: URL }> {
    let { url } = call;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(call, url);
      const location = answer.headers.location;
      const follow = call.method === 'GET' || call.method === 'HEAD';
      if (!follow || !REDIRECT.has(answer.status) || location === undefined) return { answer, url };
      await answer.body.dump();
      if (redirects >= MAX_REDIRECTS) throw this.#refused(call, `more than ${MAX_REDIRECTS} redirects`);
      url = this.resolve(location, url, call.what);
    }
  }

  /**
   * A place that the registry names.
   *
   * @throws ImageError `REGISTRY_ERROR` for what is no such place, or would leave TLS
   */
  resolve(location: string, base: URL, what: string): URL {
    const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
    if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      throw this.#refused({ what }, `it refers to ${JSON.stringify(location.slice(0, 200))}`);
    }
    if (base.protocol === 'https:' && url.protocol === 'http:') {
      throw this.#refused({ what }, `it refers from TLS to ${url.origin}, which has none`);
    }
    return url;
  }

  async #send(call: Call, url: URL): Promise<HttpAnswer> {
    const { endpoint, transport, authorizer, userAgent, readTimeoutMs } = this.options;
    // What authorizes us with the registry is nobody else's business.
    const isOurs = url.origin === endpoint.origin;
    const authorization = isOurs ? authorizer.header(call.scope) : undefined;
    return await transport.send({
      method: call.method,
      url,
      headers: {
        'user-agent': userAgent,
        ...call.headers,
        ...(isOurs ? this.options.host?.headers : {}),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: typeof call.body === 'function' ? call.body() : call.body,
      signal: call.signal,
      ...(call.method === 'GET' || call.method === 'HEAD' ? { timeoutMs: readTimeoutMs } : {}),
    });
  }

  #refused({ what }: Pick<Call, 'what'>, why: string): ImageError {
    return new ImageError('REGISTRY_ERROR', `${what}: ${this.options.registry} is not to be followed: ${why}`);
  }
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function retryAfterMs({ headers }: HttpAnswer): number {
  const text = headers['retry-after'];
  if (text === undefined) return 0;
  const seconds = /^[0-9]+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S) * 1000 : 0;
}
