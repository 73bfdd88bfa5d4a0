// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server, type Socket } from 'node:net';
import { type Listening, type ListenOptions, listen } from '../http/listen.ts';
import type { Worker } from './worker.ts';

/**
 * Takes connections in the primary process and passes them on, to one worker after the other; one that is slow to take
 * them, or was stopped, is passed over as long as another one is not. A connection that a worker
 * had not taken when it ended goes to the next one, and while there is none, connections wait: no client meets an end
 * that was not its own. (The module `cluster` passes connections in the same way, but loses those.)
 */
export class Connections {
  readonly #server: Server;
  readonly #workers: Worker[] = [];
  readonly #waiting = new Set<Socket>();
  #closed = false;

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
    this.#closed = true;
    for (const socket of this.#waiting) socket.destroy();
  }

  #pass(socket: Socket): void {
    this.#waiting.delete(socket);
    const worker = this.#next();
    if (worker !== undefined) worker.give(socket);
    else if (this.#closed) socket.destroy();
    else {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
    }
  }

  /** Of those with the fewest connections on their way the one whose turn it is. */
  #next(): Worker | undefined {
    const [first, ...others] = this.#workers;
    if (first === undefined) return undefined;
    const next = others.reduce((least, worker) => (worker.onTheWay < least.onTheWay ? worker : least), first);
    this.#workers.splice(this.#workers.indexOf(next), 1);
    this.#workers.push(next);
    return next;
  }
}
