// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { MetricsSnapshot } from '../operations/metrics.ts';
import type { Locks } from '../storage/filesystem/keyed-lock.ts';
import { LockKeeper } from './lock-keeper.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { Questions } from './questions.ts';

/** One worker process, as its primary process sees it. */
export class Worker {
  readonly pid: number;
  /** Settles when the worker takes connections, or ended before it did. */
  readonly ready: Promise<void>;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
  readonly #process: ChildProcess;
  readonly #counts = new Questions<MetricsSnapshot>();
  /** Connections that are on their way to the worker. */
  readonly #given = new Map<number, Socket>();
  #lastGiven = 0;

  /**
   * @param locks which the worker may take; left out: it needs none
   * @param countAll what all workers have counted, when this one is asked for it
   */
  constructor(worker: ChildProcess, locks: Locks | undefined, countAll: () => Promise<MetricsSnapshot[]>) {
    this.#process = worker;
    // A process that could be started has one; one that could not ends at once.
    this.pid = worker.pid ?? 0;
    const keeper = locks === undefined ? undefined : new LockKeeper(locks, (answer) => this.send(answer));
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    this.ready = ready.promise;
    worker.on('message', (message: ToPrimary) => {
      switch (message.type) {
        case 'lock':
        case 'unlock':
          keeper?.requested(message);
          break;
        case 'ready':
          ready.resolve();
          break;
        case 'accepted':
          this.#accepted(message.id);
          break;
        case 'failed':
          ready.reject(failure(message));
          break;
        case 'counted':
          this.#counts.answered(message.id, message.snapshot);
          break;
        case 'count-all':
          void countAll().then((snapshots) => this.send({ type: 'counted-all', id: message.id, snapshots }));
          break;
      }
    });
    this.gone = new Promise((resolve) => {
      worker.once('exit', (code, signal) => {
        keeper?.workerGone();
        this.#counts.end();
        ready.reject(new RegistryError('LISTEN_FAILED', `a worker process ended: ${signal ?? `status ${code}`}`));
        resolve();
      });
    });
    // Its process could not be started, or its channel broke: `exit` says so too.
    worker.on('error', () => undefined);
  }

  send(message: ToWorker): void {
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  /** Passes a connection on. Until the worker says that it has it, it is kept here as well: see {@link leftovers}. */
  give(socket: Socket): void {
    this.#lastGiven += 1;
    const id = this.#lastGiven;
    this.#given.set(id, socket);
    const message: ToWorker = { type: 'connection', id };
    if (this.#process.connected) this.#process.send(message, socket, { keepOpen: true }, () => undefined);
  }

  /** Connections that a worker which is gone did not take. */
  leftovers(): Socket[] {
    const sockets = [...this.#given.values()];
    this.#given.clear();
    return sockets;
  }

  /** @returns undefined where the worker is gone */
  count(): Promise<MetricsSnapshot | undefined> {
    if (!this.#process.connected) return Promise.resolve(undefined);
    return this.#counts.ask((id) => this.send({ type: 'count', id }));
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #accepted(id: number): void {
    // Only this process's descriptor of it.
    this.#given.get(id)?.destroy();
    this.#given.delete(id);
  }
}

function failure({ code, message, hint }: Extract<ToPrimary, { type: 'failed' }>): Error {
  if (code === 'UNEXPECTED') return new Error(message);
  // What a worker names is a code of the same program.
  return new RegistryError(code as RegistryErrorCode, message, hint === undefined ? {} : { hint });
}
