// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Catalog } from '../../service/catalog.ts';
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import { within } from '../within.ts';

/** The whole list is read again after this time, even where no mark names a new repository. */
const OLDEST_MS = 10 * 60 * 1000;
const PAGE = 1_000;
/** A push that was refused leaves a mark, and no repository. Such a name is looked up again after this time. */
const ABSENT_MS = 1_000;
/** Marked names that are looked up for one answer; the next answer looks up more. */
const MOST_LOOKED_UP = 200;

/** The names of all repositories, in byte order, in memory: read once, then new ones are added as they appear. */
export class Names {
  readonly #catalog: Catalog;
  readonly #changes: Changes;
  readonly #surroundings: Surroundings;
  #known: { readAt: number; names: string[]; set: Set<string> } | undefined;
  #reading: Promise<void> | undefined;
  /** When marked names were looked up that are no repositories, milliseconds since 1970. */
  readonly #absent = new LRUCache<string, number>({ max: 20_000 });
  /** Those that the reading under way has come to. */
  #soFar: string[] = [];

  constructor(catalog: Catalog, changes: Changes, surroundings: Surroundings) {
    this.#catalog = catalog;
    this.#changes = changes;
    this.#surroundings = surroundings;
  }

  async all(): Promise<readonly string[]> {
    await this.#read();
    return this.#known?.names ?? [];
  }

  /** Those that are known after `patience` milliseconds: while they are read for the first time, the first ones. */
  async known(patience: number | undefined): Promise<{ names: readonly string[]; whole: boolean }> {
    await within(patience, this.#read());
    return { names: this.#known?.names ?? [...this.#soFar], whole: this.#known !== undefined };
  }

  async #read(): Promise<void> {
    await this.#changes.look();
    const now = this.#surroundings.now();
    if (this.#known === undefined || now - this.#known.readAt > OLDEST_MS) {
      this.#reading ??= this.#readAll(now).finally(() => {
        this.#reading = undefined;
      });
      // One that knows all but the newest is good enough while the list is read again.
      if (this.#known === undefined) await this.#reading;
      else this.#reading.catch(() => undefined);
    }
    await this.#add();
  }

  async #readAll(now: number): Promise<void> {
    const names: string[] = [];
    this.#soFar = names;
    for (let after: string | undefined; ; ) {
      const page = await this.#catalog.list(PAGE, after);
      names.push(...page.names);
      after = page.names.at(-1);
      if (!page.more || after === undefined) break;
    }
    this.#known = { readAt: now, names, set: new Set(names) };
    this.#soFar = [];
  }

  async #add(): Promise<void> {
    const known = this.#known;
    if (known === undefined) return;
    const now = this.#surroundings.now();
    const isAbsent = (name: string) => now - (this.#absent.get(name) ?? Number.NEGATIVE_INFINITY) < ABSENT_MS;
    const marked = [...this.#changes.markedSince(known.readAt)]
      .filter((name) => !known.set.has(name) && !isAbsent(name))
      .slice(0, MOST_LOOKED_UP);
    const there = await atOnce(marked, PAGE_WIDTH, (name) => this.#catalog.has(name));
    for (const [at, name] of marked.entries()) if (!there[at]) this.#absent.set(name, now);
    const added = marked.filter((name, at) => there[at] && !known.set.has(name));
    if (added.length === 0) return;
    for (const name of added) known.set.add(name);
    known.names = [...known.names, ...added].sort(inCatalogOrder);
  }
}

/** The order of the catalogue: the markers end with `!`, so `a` comes before `a-b` and `a/b`. */
function inCatalogOrder(a: string, b: string): number {
  const [left, right] = [`${a}!`, `${b}!`];
  return left < right ? -1 : left > right ? 1 : 0;
}
