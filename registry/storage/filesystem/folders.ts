// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import { disk } from './disk.ts';
import { errnoOf } from './failures.ts';

/** Folders that are known to be there and durable; more are only met again. */
const MAX_KNOWN = 50_000;

/**
 * Makes folders and makes their entries durable: on Linux a new name survives a loss of power only after an fsync of
 * the folder it stands in. Many writers of one folder share one fsync.
 */
export class Folders {
  readonly #top: string;
  readonly #shared: boolean;
  readonly #running = new Map<string, Promise<void>>();
  readonly #queued = new Map<string, Promise<void>>();
  readonly #making = new Map<string, Promise<void>>();
  readonly #known = new Set<string>();

  /**
   * @param top is there and durable, and everything below it is ours
   * @param shared whether other processes write below it too
   */
  constructor(top: string, shared: boolean) {
    this.#top = top;
    this.#shared = shared;
  }

  /**
   * @returns when every change made in `folder` before this call is durable. An fsync that already runs may have
   * begun too early for the caller's change; all who come during it share the next one.
   */
  sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    const queued = this.#queued.get(folder);
    if (queued !== undefined) return queued;
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.#queued.delete(folder);
        return this.#start(folder);
      });
    this.#queued.set(folder, next);
    return next;
  }

  /** Waits until changes of others in `folder` that are visible, and perhaps not yet durable, are. */
  async settled(folder: string): Promise<void> {
    // Nobody can see what another process still has to sync; of a folder that did not change an fsync costs little.
    await (this.#shared ? this.sync(folder) : (this.#queued.get(folder) ?? this.#running.get(folder)));
  }

  /**
   * Makes `folder` and what is missing above it. Cheap where it was made or met before.
   *
   * @returns when all of them are durable, unless that was not asked for
   */
  async make(folder: string, durable: boolean): Promise<void> {
    if (folder === this.#top || this.#known.has(folder)) return;
    if (!durable) {
      await disk.makeFolder(folder);
      return;
    }
    const making = this.#making.get(folder);
    if (making !== undefined) return making;
    const made = this.#makeDurably(folder).finally(() => this.#making.delete(folder));
    this.#making.set(folder, made);
    await made;
  }

  /** Runs a step that names a file in `folder`, once more where that folder is not there or somebody removed it. */
  async within<T>(folder: string, durable: boolean, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      for (let above = folder; above !== this.#top && above !== dirname(above); above = dirname(above)) {
        this.#known.delete(above);
      }
      await this.make(folder, durable);
      return step();
    }
  }

  async #makeDurably(folder: string): Promise<void> {
    const above = dirname(folder);
    await disk.makeFolder(folder);
    // Side by side with those further up: a file system that keeps a journal makes them durable in one go. Also of a
    // folder that was there, as whoever made it may not have come to this step.
    await Promise.all([this.make(above, true), this.sync(above)]);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(folder);
  }

  #start(folder: string): Promise<void> {
    const run = disk.syncFolder(folder).finally(() => {
      if (this.#running.get(folder) === run) this.#running.delete(folder);
    });
    this.#running.set(folder, run);
    return run;
  }
}
