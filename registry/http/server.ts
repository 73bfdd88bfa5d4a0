// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { RegistryError } from '../errors.ts';
import { type ListenOptions, listen } from './listen.ts';
import { OpenConnections } from './open-connections.ts';

/** A client has this long to send a request's headers. */
const HEADERS_MS = 30_000;
/** A connection in the middle of a request or answer on which nothing moves for this long is cut, if it is the client's turn. */
const IDLE_MS = 90_000;
const KEEP_ALIVE_MS = 65_000;
/** A client has this long to agree on keys. */
const HANDSHAKE_MS = 10_000;

const SECURE = { minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS } as const;

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
  readonly #connections = new OpenConnections();
  /** What carries the connections of an HTTPS server, also those that did not agree on keys yet. */
  readonly #carriers = new Set<Socket>();
  readonly #newest = new WeakMap<Socket, ServerResponse>();
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
    const answer: RequestListener = (request, response) => {
      this.#connections.requested(request.socket, response);
      response.on('timeout', (socket: Socket) => {
        if (isOurTurn(request, response)) socket.setTimeout(idleMs);
        else socket.destroy();
      });
      this.#inTurn(request, response, listener);
    };
    this.#tls = tls;
    this.#server =
      tls === undefined
        ? createServer(options, answer)
        : usingCertificate(tls, (pem) => createSecureServer({ ...options, ...SECURE, ...pem }, answer));
    this.#server.setTimeout(idleMs);
    const connected = tls === undefined ? 'connection' : 'secureConnection';
    this.#server.on(connected, (socket: Socket) => this.#connections.opened(socket));
    if (tls !== undefined) {
      this.#server.on('connection', (socket: Socket) => {
        this.#carriers.add(socket);
        socket.once('close', () => this.#carriers.delete(socket));
      });
    }
  }

  /** Connections from now on get what the files hold now. @throws RegistryError `CONFIG_INVALID`; the old one stays */
  reloadCertificate(): void {
    const server = this.#server;
    if (this.#tls !== undefined && 'setSecureContext' in server) {
      usingCertificate(this.#tls, (pem) => server.setSecureContext({ ...SECURE, ...pem }));
    }
  }

  /** @throws RegistryError `LISTEN_FAILED` */
  async listen(where: ListenOptions): Promise<{ url: string; port: number }> {
    const { host, port } = await listen(this.#server, where);
    return { url: `${this.#tls === undefined ? 'http' : 'https'}://${host}:${port}`, port };
  }

  /** Serves connections that another process accepts ({@link accept}): all but the listening of `listen`. */
  begin(): void {
    // Node starts to look for clients that are slow with their headers when a server says that it listens.
    this.#server.emit('listening');
  }

  /** A connection that came by another way than `listen` (node:http, Event: 'connection'). */
  accept(socket: Socket): void {
    socket.setNoDelay(true);
    this.#server.emit('connection', socket);
  }

  /** Takes no new connections, lets requests end, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    // Fails for one that does not listen, which is as good.
    this.#server.close(() => undefined);
    await this.#connections.close(graceMs);
    this.#server.closeAllConnections();
    for (const socket of this.#carriers) socket.destroy();
  }

  /**
   * Requests of one connection one after the other. Node announces all that came in one piece at once: a client that
   * sends hundreds of lines and reads nothing would have as many answers begun, each with a file and its buffers.
   */
  #inTurn(request: IncomingMessage, response: ServerResponse, listener: RequestListener): void {
    const { socket } = request;
    const before = this.#newest.get(socket);
    this.#newest.set(socket, response);
    if (before === undefined || before.closed) {
      listener(request, response);
      return;
    }
    before.once('close', () => {
      if (!socket.destroyed) listener(request, response);
    });
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
