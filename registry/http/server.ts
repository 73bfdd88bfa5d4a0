// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { RegistryError } from '../errors.ts';

/** A client has this long to send a request's headers. */
const HEADERS_MS = 30_000;
/** A connection in the middle of a request or answer on which nothing moves for this long is cut, if it is the client's turn. */
const IDLE_MS = 90_000;
const KEEP_ALIVE_MS = 65_000;

export interface ListenOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
}

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate and the chain behind it. */
  certificate: string;
  key: string;
}

export interface HttpServerOptions {
  /** How long a client may be silent in the middle of a request or answer, milliseconds. Default 90 s. */
  idleMs?: number;
  /** Serve HTTPS. */
  tls?: TlsFiles;
}

/** The HTTP server; bodies may take as long as they move. */
export class HttpServer {
  readonly #server: Server | SecureServer;
  readonly #tls: TlsFiles | undefined;

  /** @throws RegistryError `CONFIG_INVALID` for a certificate or key that cannot be used */
  constructor(listener: RequestListener, { idleMs = IDLE_MS, tls }: HttpServerOptions = {}) {
    const options = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      // One that is silent for that long within its headers is no better than one that is silent later.
      headersTimeout: Math.min(HEADERS_MS, idleMs),
      connectionsCheckingInterval: Math.min(HEADERS_MS, idleMs),
      requestTimeout: 0,
      noDelay: true,
    };
    const listen: RequestListener = (request, response) => {
      response.on('timeout', (socket: Socket) => {
        if (isOurTurn(request, response)) socket.setTimeout(idleMs);
        else socket.destroy();
      });
      return listener(request, response);
    };
    this.#tls = tls;
    this.#server =
      tls === undefined
        ? createServer(options, listen)
        : usingCertificate(tls, (pem) => createSecureServer({ ...options, ...pem, minVersion: 'TLSv1.2' }, listen));
    this.#server.setTimeout(idleMs);
  }

  /** Connections from now on get what the files hold now. @throws RegistryError `CONFIG_INVALID`; the old one stays */
  reloadCertificate(): void {
    const server = this.#server;
    if (this.#tls !== undefined && 'setSecureContext' in server) {
      usingCertificate(this.#tls, (pem) => server.setSecureContext({ ...pem, minVersion: 'TLSv1.2' }));
    }
  }

  /** @throws RegistryError `LISTEN_FAILED` */
  listen({ host, port }: ListenOptions): Promise<{ url: string; port: number }> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: NodeJS.ErrnoException) => reject(cannotListen(host, port, cause));
      this.#server.once('error', refuse);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', refuse);
        const address = this.#server.address() as AddressInfo;
        const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
        const scheme = this.#tls === undefined ? 'http' : 'https';
        resolve({ url: `${scheme}://${shown}:${address.port}`, port: address.port });
      });
    });
  }

  /** Takes no new connections, lets requests end, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
  }
}

function usingCertificate<T>({ certificate, key }: TlsFiles, use: (pem: { cert: Buffer; key: Buffer }) => T): T {
  try {
    return use({ cert: readFileSync(certificate), key: readFileSync(key) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RegistryError('CONFIG_INVALID', `cannot serve HTTPS with ${certificate} and ${key}: ${reason}`, {
      cause,
      hint: 'tls.certificate and tls.key are PEM files that belong together',
    });
  }
}

/** Whether the silence is the server's own work: bytes wait for it, or the whole request came and no answer left yet. */
function isOurTurn(request: IncomingMessage, response: ServerResponse): boolean {
  return !response.headersSent && (request.complete || request.readableLength > 0);
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): RegistryError {
  const where = `${host}:${port}`;
  const why: Record<string, string> = {
    EADDRINUSE: 'another program listens there',
    EADDRNOTAVAIL: 'this machine has no such address',
    EACCES: 'the port needs more rights',
    ENOTFOUND: 'the host is not known',
  };
  return new RegistryError('LISTEN_FAILED', `cannot listen on ${where}: ${why[cause.code ?? ''] ?? cause.message}`, {
    cause,
    hint: 'choose another address, or port 0 to let the system choose one',
  });
}
