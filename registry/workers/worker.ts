// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { MetricsSnapshot } from '../operations/metrics.ts';
import type { Locks } from '../storage/keyed-lock.ts';
import { LockKeeper } from './lock-keeper.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { Questions } from './questions.ts';

/** Less than those who ask for the metrics wait (`worker-process.ts`, and Prometheus). */
const COUNTED_WITHIN_MS = 3_000;

/** One worker process, as its primary process sees it. */
export class Worker {
  readonly pid: number;
  /** Settles when the worker takes connections, or ended before it did. */
  readonly ready: Promise<void>;
  /** Settles when the process is gone, and all that it said was heard: with how it ended. */
  readonly gone: Promise<string>;
  readonly #process: ChildProcess;
  readonly #counts = new Questions<MetricsSnapshot>(COUNTED_WITHIN_MS);
  /** Connections that are on their way to the worker. */
  readonly #given = new Map<number, Socket>();
  #lastGiven = 0;
  #counted: MetricsSnapshot = [];

  /**
   * @param locks which the worker may take; left out: it needs none
   * @param countAll what all workers have counted, when this one is asked for it
   */
  constructor(worker: ChildProcess, locks: Locks | undefined, countAll: () => Promise<MetricsSnapshot[]>) {
    this.#process = worker;
    // Only a process that could not be started has none; it is gone at once.
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
          this.#counted = message.snapshot;
          this.#counts.answered(message.id, message.snapshot);
          break;
        case 'count-all':
          void countAll().then((snapshots) => this.send({ type: 'counted-all', id: message.id, snapshots }));
          break;
      }
    });
    this.gone = new Promise((resolve) => {
      const end = (how: string) => {
        keeper?.workerGone();
        this.#counts.end();
        ready.reject(new RegistryError('LISTEN_FAILED', `a worker process ended: ${how}`));
        resolve(how);
      };
      worker.once('exit', (code, signal) => {
        const how = signal ?? `status ${code}`;
        // A connection that it still said to have taken must not go to another one as well.
        if (worker.connected) worker.once('disconnect', () => end(how));
        else end(how);
      });
      worker.on('error', (error) => {
        // A process that never was does not exit; of a channel that broke `exit` tells too.
        if (worker.pid === undefined) end(error.message);
      });
    });
  }

  /** Connections that were given to it and that it has not taken yet. */
  get onTheWay(): number {
    return this.#given.size;
  }

  /** What it had counted when it was last asked. */
  get counted(): MetricsSnapshot {
    return this.#counted;
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

  /** @returns undefined where the worker is gone, or does not answer */
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
