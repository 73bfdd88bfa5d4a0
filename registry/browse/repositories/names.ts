// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../../service/catalog.ts';
import type { Changes } from '../../service/changes.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { within } from '../within.ts';

/** The whole list is read again after this time, even where no mark names a new repository. */
const OLDEST_MS = 10 * 60 * 1000;
const PAGE = 1_000;

/** The names of all repositories, in byte order, in memory: read once, then new ones are added as they appear. */
export class Names {
  readonly #catalog: Catalog;
  readonly #changes: Changes;
  readonly #surroundings: Surroundings;
  #known: { readAt: number; names: string[]; set: Set<string> } | undefined;
  #reading: Promise<void> | undefined;
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
    const marked = [...this.#changes.markedSince(known.readAt)].filter((name) => !known.set.has(name));
    if (marked.length === 0) return;
    // A push that was refused leaves a mark, and no repository.
    const there = await Promise.all(marked.map((name) => this.#catalog.has(name)));
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
