// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server, type Socket } from 'node:net';
import { type Listening, type ListenOptions, listen } from '../http/listen.ts';
import type { Worker } from './worker.ts';

/**
 * Takes connections in the primary process and passes them on, to one worker after the other. A connection that a worker
 * had not taken when it ended goes to the next one, and while there is none, connections wait: no client meets an end
 * that was not its own. (The module `cluster` passes connections in the same way, but loses those.)
 */
export class Connections {
  readonly #server: Server;
  readonly #workers: Worker[] = [];
  readonly #waiting = new Set<Socket>();

  constructor() {
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#pass(socket));
  }

  /** @throws RegistryError `LISTEN_FAILED` */
  listen(where: ListenOptions): Promise<Listening> {
    return listen(this.#server, where);
  }

  /** From now on the worker gets its share. */
  add(worker: Worker): void {
    this.#workers.push(worker);
    void worker.gone.then(() => {
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      for (const socket of worker.leftovers()) this.#pass(socket);
    });
    for (const socket of this.#waiting) this.#pass(socket);
  }

  /** No new connections; those that nobody took end. */
  close(): void {
    // It would call back only when the last connection that it ever passed on has ended.
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #pass(socket: Socket): void {
    this.#waiting.delete(socket);
    const worker = this.#workers.shift();
    if (worker !== undefined) {
      this.#workers.push(worker);
      worker.give(socket);
      return;
    }
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
  }
}
