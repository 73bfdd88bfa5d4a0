// SPDX-License-Identifier: Apache-2.0
import { pruneIndexes } from './browse/files/prune.ts';
import { ControlServer } from './control/control-server.ts';
import type { Logger } from './logger.ts';
import { type Collector, createCollector } from './service/collector/index.ts';
import type { Service } from './service/index.ts';
import { SYSTEM } from './service/surroundings.ts';
import type { ObjectStore } from './storage/contract.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * 24 * HOUR_MS;

export interface MaintenanceOptions {
  /** How long an unfinished upload may rest before it is given up, milliseconds. Default: a week. */
  uploadIdleMs?: number | undefined;
  /** How often to collect, milliseconds; 0, the default: never by itself. */
  collectEveryMs?: number | undefined;
  /** Default 24 hours. @see CollectorOptions */
  graceMs?: number | undefined;
  /** Default an hour. @see CollectorOptions */
  settleMs?: number | undefined;
}

interface Subject {
  store: ObjectStore;
  service: Service;
  /** The storage's folder, where it is one that this process owns. */
  root?: string | undefined;
}

/** What a server does beside answering requests: one process of a server, any number of servers. */
export class Maintenance {
  readonly #subject: Subject;
  readonly #logger: Logger;
  readonly #uploadIdleMs: number;
  readonly #collector: Collector;
  readonly #control: ControlServer;
  readonly #timers: NodeJS.Timeout[];
  readonly #ending = new AbortController();
  #indexesPruned = 0;
  #work: Promise<void>;
  /** What waits for its turn, by the method that does it. */
  readonly #waiting = new Set<() => Promise<void>>();

  constructor(subject: Subject, logger: Logger, options: MaintenanceOptions) {
    const { uploadIdleMs = WEEK_MS, collectEveryMs = 0, graceMs, settleMs } = options;
    this.#subject = subject;
    this.#logger = logger;
    this.#uploadIdleMs = uploadIdleMs;
    this.#collector = createCollector(subject.store, {
      uploadIdleMs,
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(settleMs === undefined ? {} : { settleMs }),
    });
    this.#control = new ControlServer(subject.store, logger);
    this.#work = Promise.all([
      this.#expire(),
      subject.root === undefined ? undefined : this.#control.listen(subject.root),
    ]).then(() => undefined);
    this.#timers = [
      setInterval(() => this.#next(this.#expire), HOUR_MS),
      setInterval(() => this.#next(this.#prune), HOUR_MS),
    ];
    if (collectEveryMs > 0) this.#timers.push(setInterval(() => this.#next(this.#collect), collectEveryMs));
    for (const timer of this.#timers) timer.unref();
  }

  /** When what it does at the start is done. */
  get ready(): Promise<void> {
    return this.#work;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#ending.abort();
    await this.#control.close();
    await this.#work;
  }

  /** One thing after the other, and each at most once: a slow store is not made slower, and nothing piles up. */
  #next(work: () => Promise<void>): void {
    if (this.#waiting.has(work)) return;
    this.#waiting.add(work);
    this.#work = this.#work.then(() => {
      this.#waiting.delete(work);
      return this.#ending.signal.aborted ? undefined : work.call(this);
    });
  }

  async #expire(): Promise<void> {
    try {
      const given = await this.#subject.service.uploads.expire(this.#uploadIdleMs);
      if (given > 0) this.#logger.info({ uploads: given }, 'gave up unfinished uploads');
    } catch (error) {
      this.#logger.warn({ err: error }, 'could not look for unfinished uploads');
    }
  }

  async #prune(): Promise<void> {
    try {
      await this.#subject.service.changes.prune();
      if (Date.now() - this.#indexesPruned > DAY_MS) {
        await pruneIndexes(this.#subject.store, SYSTEM, this.#ending.signal);
        this.#indexesPruned = Date.now();
      }
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#logger.warn({ err: error }, 'could not clear away what browsing left');
    }
  }

  async #collect(): Promise<void> {
    const { signal } = this.#ending;
    try {
      const report = await this.#collector.run({ signal });
      if (report.outcome !== 'busy') this.#logger.info({ ...report }, 'collected what nothing needs');
    } catch (error) {
      if (!signal.aborted) this.#logger.error({ err: error }, 'a collection failed');
    }
  }
}
