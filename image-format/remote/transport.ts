// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { ImageError } from '../errors.ts';
import { isLoopback } from './endpoint.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Buffer | Readable | undefined;
  signal?: AbortSignal | undefined;
  /** How long the server may send nothing, before its answer and within it. */
  timeoutMs?: number | undefined;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case; of a repeated header all values, joined as HTTP allows. */
  headers: Readonly<Record<string, string | undefined>>;
  /** To be read to its end or destroyed. */
  body: Dispatcher.ResponseData['body'];
}

export interface TransportOptions {
  ca?: string | undefined;
  skipVerify?: boolean;
  client?: { cert: string; key: string };
  connectMs?: number;
  env: NodeJS.ProcessEnv;
}

const CONNECT_MS = 10_000;
/** A registry may take its time to store what it was sent. */
const HEADERS_MS = 300_000;
const IDLE_MS = 60_000;

/** Sends single requests and follows nothing; its errors are those of the network. */
export class Transport {
  readonly #dispatcher: Dispatcher;

  constructor(endpoint: URL, options: TransportOptions) {
    const { connectMs = CONNECT_MS } = options;
    const connect = { timeout: connectMs, ...(endpoint.protocol === 'https:' ? tlsOptions(options) : {}) };
    const timeouts = { headersTimeout: HEADERS_MS, bodyTimeout: IDLE_MS };
    const { env } = options;
    const httpProxy = env.http_proxy || env.HTTP_PROXY;
    const httpsProxy = env.https_proxy || env.HTTPS_PROXY;
    this.#dispatcher =
      isLoopback(endpoint.host) || (!httpProxy && !httpsProxy)
        ? new Agent({ ...timeouts, connect })
        : new EnvHttpProxyAgent({
            ...timeouts,
            connect,
            requestTls: connect,
            ...(httpProxy ? { httpProxy } : {}),
            ...(httpsProxy ? { httpsProxy } : {}),
            noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
          } as ConstructorParameters<typeof EnvHttpProxyAgent>[0]);
  }

  async send({ method, url, headers, body, signal, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers },
      body: body ?? null,
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }),
    });
    const entries = Object.entries(answer.headers).map(([name, value]) => {
      return [name, Array.isArray(value) ? value.join(', ') : value] as const;
    });
    return { status: answer.statusCode, headers: Object.fromEntries(entries), body: answer.body };
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/** Gives up an answer whose body nobody will read. */
export function discard({ body }: HttpAnswer): void {
  body.on('error', () => {}).destroy();
}

function tlsOptions({ ca, skipVerify = false, client }: TransportOptions) {
  return { ca: authorities(ca), ...client, ...(skipVerify ? { rejectUnauthorized: false } : {}) };
}

/** Those that Node knows, those of the machine (a company's own are there), and what was given. */
function authorities(given: string | undefined): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system'), ...(given === undefined ? [] : [given])];
}

/** Errors that say nobody is there, or nobody to talk to: trying again at once changes nothing. */
const HOPELESS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EPROTO']);

export function isHopeless(error: unknown): boolean {
  const code = networkCode(error);
  return HOPELESS.has(code) || isCertificateCode(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS');
}

function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)/.test(code);
}

function networkCode(error: unknown): string {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return code ?? cause?.code ?? '';
}

/** Somebody is there, and hangs up. */
const CUT = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** An error of the network, in the words of who wanted the registry. Errors of our own stay as they are. */
export function networkError(error: unknown, endpoint: URL, signal: AbortSignal | undefined): Error {
  if (error instanceof ImageError) return error;
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: error });
  const code = networkCode(error);
  const unreachable = (message: string, hint?: string) =>
    new ImageError('REGISTRY_UNREACHABLE', message, { cause: error, hint });
  const { origin, host } = endpoint;
  if (isCertificateCode(code)) {
    return unreachable(`the certificate of ${origin} is not trusted: ${(error as Error).message}`, NODE_CA_HINT);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return unreachable(`no registry answers at ${origin}: no host has that name`, 'check the name, and the network');
  }
  if (endpoint.protocol === 'https:' && (code.startsWith('ERR_SSL') || code === 'EPROTO')) {
    return unreachable(`${host} does not speak TLS (${code})`, 'if it is a registry without TLS: --plain-http');
  }
  if (CUT.has(code)) {
    return unreachable(
      `${origin} ended the connection before its answer was whole (${code})`,
      "try again; if it stays so, the registry's log says why",
    );
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return unreachable(`${origin} sent nothing for too long (${code})`, 'try again, or wait longer: --read-timeout');
  }
  const why = code === 'ECONNREFUSED' ? 'connection refused' : code || (error as Error).message;
  return unreachable(
    `no registry answers at ${origin} (${why})`,
    isLoopback(host)
      ? `start one: uk registry serve --listen ${host} --storage DIR`
      : 'check the name and the network; if it is a registry without TLS: --plain-http',
  );
}

const NODE_CA_HINT = 'if the registry has a certificate of your own, name its authority in NODE_EXTRA_CA_CERTS';
