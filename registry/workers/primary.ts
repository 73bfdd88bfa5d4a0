// SPDX-License-Identifier: Apache-2.0
import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { listenAddress } from '../config/listen-address.ts';
import { maintenanceOptions } from '../config/registry-options.ts';
import type { RegistryConfig } from '../config/schema.ts';
import { storageOptions } from '../config/storage-options.ts';
import type { Listening } from '../http/listen.ts';
import type { Logger } from '../logger.ts';
import { Maintenance } from '../maintenance.ts';
import { addUp, type MetricsSnapshot } from '../operations/metrics.ts';
import { createService } from '../service/index.ts';
import type { Serving } from '../serving.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { KeyedLock, type Locks } from '../storage/keyed-lock.ts';
import { openSharedFolder, openStore } from '../storage/open-store.ts';
import { Connections } from './connections.ts';
import { Worker } from './worker.ts';

const PROGRAM = fileURLToPath(new URL(`./worker-process${extname(import.meta.url)}`, import.meta.url));

/** A worker that ended sooner than this would only end again. */
const SHORT_LIFE_MS = 5_000;
const PAUSE_MS = 1_000;
/** What a worker may take beyond the time that its requests were given. */
const EXIT_MS = 5_000;

/** Threads of a worker that wait for its disk: four, which is the default, leave most of an SSD idle. */
const DISK_THREADS = '16';

/**
 * How a worker's heap grows. Of a request nothing is left but what a cache holds, so a small space for young objects (MiB)
 * is as good as a large one, which comes to three times 16 MiB; and what one directory of 100,000 tags leaves behind is
 * collected once the heap grew by half, where the default lets it grow to four times as much. Measured: 377 and not 447 MiB
 * after changes in such a directory.
 */
const HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=50'];

/** The store that the primary process has open, and what its workers need of it. */
interface Shared {
  store: ObjectStore;
  root?: string;
  locks?: Locks;
  claim?: number;
  nameWorkers(pids: readonly number[]): Promise<void>;
}

/**
 * The process that starts the workers and answers no requests itself. It owns the storage folder and keeps the lock
 * among its workers, starts a new worker for one that ended, and does the maintenance.
 *
 * @throws RegistryError as `createRegistry` does
 */
export async function servePrimary(config: RegistryConfig, logger: Logger): Promise<Serving> {
  const shared = await open(config);
  const pool = new Pool(config, shared, logger);
  try {
    const { host, port } = await pool.start();
    const { store, root } = shared;
    const maintenance = new Maintenance(
      { store, service: createService(store), root },
      logger,
      maintenanceOptions(config),
    );
    await maintenance.ready;
    return {
      url: `${config.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
      workers: config.workers,
      reload: () => pool.tell({ type: 'reload' }),
      async close() {
        pool.tell({ type: 'drain' });
        if (config.connections.drain > 0) await wait(config.connections.drain);
        await pool.stop();
        await maintenance.stop();
        await shared.store.close();
      },
    };
  } catch (error) {
    await pool.stop();
    await shared.store.close();
    throw error;
  }
}

async function open({ storage }: RegistryConfig): Promise<Shared> {
  if (storage.driver !== 'filesystem') {
    return {
      store: await openStore(storageOptions(storage), { recordCacheBytes: 0 }),
      nameWorkers: async () => undefined,
    };
  }
  const locks = new KeyedLock();
  const store = await openSharedFolder(storage.root, locks);
  return { store, root: storage.root, locks, claim: store.claim, nameWorkers: (pids) => store.nameWorkers(pids) };
}

/** As many workers as the configuration says, for as long as the server runs. */
class Pool {
  readonly #config: RegistryConfig;
  readonly #shared: Shared;
  readonly #logger: Logger;
  readonly #connections = new Connections();
  readonly #workers = new Set<Worker>();
  readonly #replacing = new AbortController();
  #stopping = false;
  /** What workers had counted that ended: without it, counters would go back. */
  #past: Promise<MetricsSnapshot> = Promise.resolve([]);

  constructor(config: RegistryConfig, shared: Shared, logger: Logger) {
    this.#config = config;
    this.#shared = shared;
    this.#logger = logger;
  }

  async start(): Promise<Listening> {
    const listening = await this.#connections.listen(listenAddress(this.#config.listen));
    const workers = Array.from({ length: this.#config.workers }, () => this.#fork());
    await this.#begin(workers);
    await Promise.all(workers.map((worker) => worker.ready));
    for (const worker of workers) this.#employ(worker);
    return listening;
  }

  tell(message: Parameters<Worker['send']>[0]): void {
    for (const worker of this.#workers) worker.send(message);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#replacing.abort();
    this.#connections.close();
    this.tell({ type: 'stop' });
    const patience = this.#config.connections.grace + EXIT_MS;
    const kill = setTimeout(() => {
      for (const worker of this.#workers) worker.kill();
    }, patience);
    await Promise.all([...this.#workers].map((worker) => worker.gone));
    clearTimeout(kill);
  }

  #fork(): Worker {
    const { UV_THREADPOOL_SIZE = DISK_THREADS, NODE_OPTIONS = '' } = process.env;
    const child = fork(PROGRAM, {
      env: { ...process.env, UV_THREADPOOL_SIZE },
      execArgv: NODE_OPTIONS.includes('semi-space') ? process.execArgv : [...process.execArgv, ...HEAP],
    });
    const worker = new Worker(child, this.#shared.locks, () => this.#count());
    this.#workers.add(worker);
    void worker.gone.then(() => {
      this.#workers.delete(worker);
      this.#past = this.#past.then((past) => addUp([past, worker.counted]));
    });
    return worker;
  }

  /** Lets workers do their work, once the folder says that they do. */
  async #begin(workers: readonly Worker[]): Promise<void> {
    await this.#shared.nameWorkers([...this.#workers].map(({ pid }) => pid));
    const { claim } = this.#shared;
    for (const worker of workers) {
      worker.send({ type: 'start', config: this.#config, ...(claim === undefined ? {} : { claim }) });
    }
  }

  #employ(worker: Worker): void {
    this.#connections.add(worker);
    void this.#replaceWhenGone(worker, Date.now());
  }

  async #replaceWhenGone(worker: Worker, started: number): Promise<void> {
    const how = await worker.gone;
    for (let pause = Date.now() - started < SHORT_LIFE_MS; !this.#stopping; pause = true) {
      this.#logger.error({ worker: worker.pid, how }, 'a worker process ended, another one takes its place');
      if (pause) await wait(PAUSE_MS, undefined, { signal: this.#replacing.signal }).catch(() => undefined);
      if (this.#stopping) return;
      let next: Worker | undefined;
      try {
        next = this.#fork();
        await this.#begin([next]);
        await next.ready;
        this.#employ(next);
        return;
      } catch (error) {
        next?.kill();
        await next?.gone;
        if (!this.#stopping) this.#logger.error({ err: error }, 'a worker process could not start');
      }
    }
  }

  async #count(): Promise<MetricsSnapshot[]> {
    const counted = await Promise.all([...this.#workers].map((worker) => worker.count()));
    return [await this.#past, ...counted.filter((snapshot) => snapshot !== undefined)];
  }
}
