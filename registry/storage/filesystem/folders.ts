// SPDX-License-Identifier: Apache-2.0
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './failures.ts';

/** Folders that are known to be there and durable; more are only met again. */
const MAX_KNOWN = 50_000;

/**
 * Makes folders and makes their entries durable: on Linux a new name survives a loss of power only after an fsync of
 * the folder it stands in. Many writers of one folder share one fsync.
 */
export class Folders {
  readonly #running = new Map<string, Promise<void>>();
  readonly #queued = new Map<string, Promise<void>>();
  readonly #making = new Set<Promise<void>>();
  readonly #known = new Set<string>();

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

  /** Waits for changes of others in `folder` that are visible and perhaps not yet durable. */
  async settled(folder: string): Promise<void> {
    await (this.#queued.get(folder) ?? this.#running.get(folder));
  }

  /**
   * Makes `folder` and what is missing above it. Cheap where it was made or met before.
   *
   * @returns when all of them are durable, unless that was not asked for
   */
  async make(folder: string, durable: boolean): Promise<void> {
    if (this.#known.has(folder)) return;
    const made = this.#make(folder, durable);
    this.#making.add(made);
    try {
      await made;
    } finally {
      this.#making.delete(made);
    }
    if (!durable) return;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(folder);
  }

  /** Runs a step that names a file in `folder`, once more where somebody removed that folder meanwhile. */
  async within<T>(folder: string, durable: boolean, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.#known.delete(folder);
      await this.make(folder, durable);
      return step();
    }
  }

  async #make(folder: string, durable: boolean): Promise<void> {
    const others = [...this.#making];
    const first = await mkdir(folder, { recursive: true });
    if (!durable) return;
    // One of these may have made a folder above, and not yet synced it.
    const waits: Promise<unknown>[] = others.map((other) => other.catch(() => undefined));
    if (first !== undefined) {
      for (let made = folder; made.length >= first.length; made = dirname(made)) waits.push(this.sync(dirname(made)));
    }
    await Promise.all(waits);
  }

  #start(folder: string): Promise<void> {
    const run = syncFolder(folder).finally(() => {
      if (this.#running.get(folder) === run) this.#running.delete(folder);
    });
    this.#running.set(folder, run);
    return run;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
