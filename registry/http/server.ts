// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
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

/** The HTTP server; bodies may take as long as they move. */
export class HttpServer {
  readonly #server: Server;

  /** @param idleMs how long a client may be silent, milliseconds */
  constructor(listener: RequestListener, idleMs = IDLE_MS) {
    this.#server = createServer(
      { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: 0, noDelay: true },
      (request, response) => {
        response.on('timeout', (socket: Socket) => {
          if (isOurTurn(request, response)) socket.setTimeout(idleMs);
          else socket.destroy();
        });
        return listener(request, response);
      },
    );
    this.#server.setTimeout(idleMs);
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
        resolve({ url: `http://${shown}:${address.port}`, port: address.port });
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
