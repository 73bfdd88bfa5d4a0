// SPDX-License-Identifier: Apache-2.0
import type { Logger } from './logger.ts';
import type { Service } from './service/index.ts';

const HOUR_MS = 60 * 60 * 1000;

export interface MaintenanceOptions {
  logger: Logger;
  /** How long an unfinished upload may rest before it is given up, milliseconds. Default: a week. */
  uploadIdleMs?: number | undefined;
}

/** What a server does by itself, at its start and every hour: one process of a server, any number of servers. */
export class Maintenance {
  readonly #service: Service;
  readonly #options: MaintenanceOptions;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void>;

  constructor(service: Service, options: MaintenanceOptions) {
    this.#service = service;
    this.#options = options;
    this.#running = this.#expire();
    this.#timer = setInterval(() => {
      this.#running = this.#expire();
    }, HOUR_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #expire(): Promise<void> {
    const { logger, uploadIdleMs = 7 * 24 * HOUR_MS } = this.#options;
    try {
      const given = await this.#service.uploads.expire(uploadIdleMs);
      if (given > 0) logger.info({ uploads: given }, 'gave up unfinished uploads');
    } catch (error) {
      logger.warn({ err: error }, 'could not look for unfinished uploads');
    }
  }
}
