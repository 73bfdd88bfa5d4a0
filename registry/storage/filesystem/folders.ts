// SPDX-License-Identifier: Apache-2.0
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './failures.ts';

/**
 * Makes folders and makes their entries durable: on Linux a new name survives a loss of power only after an fsync of
 * the folder it stands in. Many writers of one folder share one fsync.
 */
export class Folders {
  readonly #running = new Map<string, Promise<void>>();
  readonly #queued = new Map<string, Promise<void>>();
  readonly #making = new Map<string, Promise<void>>();

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

  /** Runs a step that names a file in `folder`, and makes that folder first where it is missing. */
  async within<T>(folder: string, durable: boolean, step: () => Promise<T>): Promise<T> {
    // A folder is removed only by hand; still, a second round costs nothing.
    for (let round = 0; ; round += 1) {
      try {
        const making = this.#making.get(folder);
        if (making !== undefined) await making;
        return await step();
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || round === 3) throw error;
        await this.make(folder, durable);
      }
    }
  }

  /** Makes `folder` and what is missing above it. */
  make(folder: string, durable: boolean): Promise<void> {
    const making = this.#making.get(folder);
    if (making !== undefined) return making;
    const made = this.#make(folder, durable).finally(() => this.#making.delete(folder));
    this.#making.set(folder, made);
    return made;
  }

  async #make(folder: string, durable: boolean): Promise<void> {
    try {
      await mkdir(folder);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST') return;
      const parent = dirname(folder);
      if (errno !== 'ENOENT' || parent === folder) throw error;
      await this.make(parent, durable);
      return this.#make(folder, durable);
    }
    if (durable) await this.sync(dirname(folder));
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
