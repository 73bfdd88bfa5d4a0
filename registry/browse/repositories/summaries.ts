// SPDX-License-Identifier: Apache-2.0
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import { NewestFirst } from '../newest-first.ts';
import type { Progress } from '../types/paging.ts';
import { within } from '../within.ts';
import { type AllContents, type Summary, summaryOf } from './contents.ts';

/** Repositories that are read at once for an order by time. Few, because pulls come first. */
const GENTLE = 8;
/** Repositories that are read at once for pages that do not wait for all of them; and how many may wait. */
const IMPATIENT = 6;
const MOST_WAITING = 200;
/** Where the storage is too slow for all rows to be read in time, a page waits only for this part of it. */
const HOPELESS_PART = 0.25;
/** How much the last reading counts in the usual time of one. */
const NEWEST_PART = 0.1;
const OLDEST_MS = 6 * 60 * 60 * 1000;

/**
 * A few numbers for each repository. A page reads those of its rows; an order by time needs all, which are read once in
 * the background, and then only of repositories that changed.
 */
export class Summaries {
  readonly #contents: AllContents;
  readonly #changes: Changes;
  readonly #surroundings: Surroundings;
  readonly #queue = new NewestFirst(IMPATIENT, MOST_WAITING);
  /** Milliseconds that reading one repository usually takes, when as many are read at once as pages may. */
  #usualMs = 0;
  readonly #known = new Map<string, { readAt: number; summary: Summary }>();
  #filling: { done: number; total: number } | undefined;
  #failure: unknown;
  #closed = false;

  constructor(contents: AllContents, changes: Changes, surroundings: Surroundings) {
    this.#contents = contents;
    this.#changes = changes;
    this.#surroundings = surroundings;
  }

  /** Of a few repositories, as they are now. @param patience milliseconds after which those are left out that are not read */
  async of(names: readonly string[], patience?: number): Promise<ReadonlyMap<string, Summary>> {
    const found = new Map<string, Summary>();
    if (patience === undefined) {
      await this.#changes.look();
      await atOnce(names, PAGE_WIDTH, async (name) => found.set(name, await this.#fresh(name)));
      return found;
    }
    const end = performance.now() + patience;
    await within(patience, this.#changes.look());
    for (const name of names) {
      const known = this.#known.get(name);
      if (known !== undefined && this.#isFresh(name)) found.set(name, known.summary);
    }
    // The first row is the newest in the queue.
    const missing = names.filter((name) => !found.has(name)).reverse();
    const left = end - performance.now();
    const isHopeless = (this.#usualMs * missing.length) / IMPATIENT > left;
    await within(isHopeless ? left * HOPELESS_PART : left, this.#readSoon(missing, found));
    return found;
  }

  async #readSoon(names: readonly string[], found: Map<string, Summary>): Promise<void> {
    const read = async (name: string) => {
      const begun = performance.now();
      found.set(name, await this.#fresh(name));
      this.#usualMs += (performance.now() - begun - this.#usualMs) * NEWEST_PART;
    };
    await Promise.all(names.map((name) => this.#queue.run(() => read(name))));
  }

  /** What is known by now, without waiting; a name may be missing. */
  known(name: string): Summary | undefined {
    return this.#known.get(name)?.summary;
  }

  /**
   * Has all of them read that are not known, or have changed.
   *
   * @returns how far that is; undefined when all are known
   * @throws what the storage threw the last time
   */
  async fill(names: readonly string[]): Promise<Progress | undefined> {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
    await this.#changes.look();
    const stale = names.filter((name) => !this.#isFresh(name));
    if (stale.length <= PAGE_WIDTH) {
      await this.of(stale);
      return undefined;
    }
    if (this.#filling === undefined) {
      const filling = { done: names.length - stale.length, total: names.length };
      this.#filling = filling;
      atOnce(stale, GENTLE, async (name) => {
        if (!this.#closed) await this.#fresh(name);
        filling.done += 1;
      })
        .catch((error) => {
          this.#failure = error;
        })
        .finally(() => {
          this.#filling = undefined;
        });
    }
    // Those that only changed have an older place in the order meanwhile.
    if (names.every((name) => this.#known.has(name))) return undefined;
    return { done: this.#filling.done, total: this.#filling.total, unit: 'repositories' };
  }

  close(): void {
    this.#closed = true;
  }

  #isFresh(name: string): boolean {
    const known = this.#known.get(name);
    if (known === undefined || this.#surroundings.now() - known.readAt > OLDEST_MS) return false;
    return this.#changes.holds(name, known.readAt);
  }

  async #fresh(name: string): Promise<Summary> {
    const known = this.#known.get(name);
    if (known !== undefined && this.#isFresh(name)) return known.summary;
    const readAt = this.#surroundings.now();
    const summary = summaryOf(await this.#contents.of(name));
    this.#known.set(name, { readAt, summary });
    return summary;
  }
}
