// SPDX-License-Identifier: Apache-2.0
import type { Worker as ClusterWorker } from 'node:cluster';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { MetricsSnapshot } from '../operations/metrics.ts';
import type { Locks } from '../storage/filesystem/keyed-lock.ts';
import { LockKeeper } from './lock-keeper.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { Questions } from './questions.ts';

export interface Listening {
  url: string;
  port: number;
}

/** One worker process, as its primary process sees it. */
export class Worker {
  readonly pid: number;
  /** Settles when the worker listens, or ended before it did. */
  readonly listening: Promise<Listening>;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
  readonly #worker: ClusterWorker;
  readonly #counts = new Questions<MetricsSnapshot>();

  /**
   * @param locks which the worker may take; left out: it needs none
   * @param countAll what all workers have counted, when this one is asked for it
   */
  constructor(worker: ClusterWorker, locks: Locks | undefined, countAll: () => Promise<MetricsSnapshot[]>) {
    this.#worker = worker;
    // A process that could be started has one; one that could not ends at once.
    this.pid = worker.process.pid ?? 0;
    const keeper = locks === undefined ? undefined : new LockKeeper(locks, (answer) => this.send(answer));
    const ready = Promise.withResolvers<Listening>();
    ready.promise.catch(() => undefined);
    this.listening = ready.promise;
    worker.on('message', (message: ToPrimary) => {
      switch (message.type) {
        case 'lock':
        case 'unlock':
          keeper?.requested(message);
          break;
        case 'listening':
          ready.resolve({ url: message.url, port: message.port });
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
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }

  /** @returns undefined where the worker is gone */
  count(): Promise<MetricsSnapshot | undefined> {
    if (!this.#worker.isConnected()) return Promise.resolve(undefined);
    return this.#counts.ask((id) => this.send({ type: 'count', id }));
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }
}

function failure({ code, message, hint }: Extract<ToPrimary, { type: 'failed' }>): Error {
  if (code === 'UNEXPECTED') return new Error(message);
  // What a worker names is a code of the same program.
  return new RegistryError(code as RegistryErrorCode, message, hint === undefined ? {} : { hint });
}
