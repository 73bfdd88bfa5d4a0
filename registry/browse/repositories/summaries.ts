// SPDX-License-Identifier: Apache-2.0
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import type { Progress } from '../types/paging.ts';
import { within } from '../within.ts';
import type { AllContents } from './contents.ts';

/** What a list of repositories says of each. */
export interface Summary {
  tags: number;
  state: 'tagged' | 'untagged' | 'empty';
  pushed: number | undefined;
}

/** Repositories that are read at once for an order by time. Few, because pulls come first. */
const GENTLE = 8;
const OLDEST_MS = 6 * 60 * 60 * 1000;

/**
 * A few numbers for each repository. A page reads those of its rows; an order by time needs all, which are read once in
 * the background, and then only of repositories that changed.
 */
export class Summaries {
  readonly #contents: AllContents;
  readonly #changes: Changes;
  readonly #surroundings: Surroundings;
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
    await within(patience, this.#readEach(names, found));
    return found;
  }

  async #readEach(names: readonly string[], found: Map<string, Summary>): Promise<void> {
    await this.#changes.look();
    await atOnce(names, PAGE_WIDTH, async (name) => {
      found.set(name, await this.#fresh(name));
    });
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
    const { versions, state, pushed } = await this.#contents.of(name);
    const summary = { tags: versions.length, state, pushed };
    this.#known.set(name, { readAt, summary });
    return summary;
  }
}
