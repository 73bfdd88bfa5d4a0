// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a server, and which of them are in the middle of a request: what a graceful end has to know. */
export class OpenConnections {
  readonly #open = new Map<Socket, Set<ServerResponse>>();
  #closed: (() => void) | undefined;

  opened(socket: Socket): void {
    this.#open.set(socket, new Set());
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#closed?.();
    });
    if (this.#closed !== undefined) socket.destroy();
  }

  /** @param socket that was given to {@link opened} */
  requested(socket: Socket, response: ServerResponse): void {
    const running = this.#open.get(socket);
    if (running === undefined) return;
    running.add(response);
    if (this.#closed !== undefined) response.shouldKeepAlive = false;
    response.once('close', () => {
      running.delete(response);
      if (running.size === 0 && this.#closed !== undefined) socket.destroySoon();
    });
  }

  /** Ends idle connections at once, the others behind their answers, or after `graceMs` in any case. */
  async close(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = resolve;
    for (const [socket, running] of this.#open) {
      if (running.size === 0) socket.destroy();
      // The client hears that the connection ends with this answer.
      for (const response of running) response.shouldKeepAlive = false;
    }
    if (this.#open.size === 0) return;
    const cut = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.destroy();
    }, graceMs);
    await promise;
    clearTimeout(cut);
  }
}
