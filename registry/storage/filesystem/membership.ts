// SPDX-License-Identifier: Apache-2.0
import type { RegistryError } from '../../errors.ts';
import { storage } from './failures.ts';
import type { Layout } from './layout.ts';
import { BEAT_MS, newestClaim, SILENCE_MS, superseded } from './ownership.ts';

/**
 * The right of a worker process to write to the folder that its primary process owns. The primary keeps the claim; a
 * worker only looks, and, like the primary, looks before it writes when it was silent for so long that another server
 * may have taken the folder over. Locks and their holder's end are the primary's part (`registry/workers`).
 */
export class Membership {
  readonly #layout: Layout;
  readonly #claim: number;
  readonly #timer: NodeJS.Timeout;
  #seen = Date.now();
  #looking: Promise<void> | undefined;
  #lost: RegistryError | undefined;

  /** @param claim the number of the primary's claim */
  constructor(layout: Layout, claim: number) {
    this.#layout = layout;
    this.#claim = claim;
    this.#timer = setInterval(() => this.#look().catch(() => undefined), BEAT_MS);
    this.#timer.unref();
  }

  /** @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE` */
  async ensure(): Promise<void> {
    if (this.#lost === undefined && Date.now() - this.#seen > SILENCE_MS) {
      await storage(`keep the storage folder ${this.#layout.root}`, () => this.#look());
    }
    if (this.#lost !== undefined) throw this.#lost;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
  }

  #look(): Promise<void> {
    this.#looking ??= this.#compare().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #compare(): Promise<void> {
    if (this.#lost !== undefined) return;
    const now = Date.now();
    if ((await newestClaim(this.#layout)) === this.#claim) this.#seen = now;
    else this.#lost = superseded(this.#layout);
  }
}
