// SPDX-License-Identifier: Apache-2.0
import { cutPage, matches, wordsOf } from '../page.ts';
import type { Progress } from '../types/paging.ts';
import type { FolderRow, RepositoriesQuery, RepositoryPage, RepositoryRow } from '../types/repository.ts';
import { within } from '../within.ts';
import type { Names } from './names.ts';
import type { Summaries } from './summaries.ts';

type Place = { kind: 'repository'; name: string } | { kind: 'folder'; name: string; inside: string[] };

/** For the times of folders no more repositories are read than this. */
const MOST_IN_FOLDERS = 200;

/** The list of repositories: searched, below a folder, in an order, one page of it. */
export class RepositoryList {
  readonly #names: Names;
  readonly #summaries: Summaries;

  constructor(names: Names, summaries: Summaries) {
    this.#names = names;
    this.#summaries = summaries;
  }

  async page(query: RepositoriesQuery): Promise<RepositoryPage> {
    const { waitMs } = query;
    const end = performance.now() + (waitMs ?? 0);
    const patience = () => (waitMs === undefined ? undefined : end - performance.now());
    const { names, whole } = await this.#names.known(patience());
    const words = wordsOf(query.search);
    const below = query.prefix ? `${query.prefix.replace(/\/+$/, '')}/` : '';
    const found = names.filter((name) => name.startsWith(below) && matches(name, words));
    const places = query.folders && words.length === 0 ? inFolders(found, below) : found.map(repository);
    const byTime = query.sort === 'pushed';
    const ordering = byTime ? await within(patience(), this.#summaries.fill(found)) : undefined;
    if (byTime) {
      const times = new Map(places.map((place) => [place, this.#pushed(place) ?? 0]));
      places.sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0));
    }
    const cut = cutPage(places, query);
    const { rows, unread } = await this.#rows(cut.rows, patience());
    const making = whole ? (ordering ?? unread) : ({ done: names.length, unit: 'repositories' } as const);
    return { ...cut, rows, total: names.length, ...(making === undefined ? {} : { making }) };
  }

  async #rows(places: readonly Place[], patience: number | undefined) {
    const single = places.filter((place) => place.kind === 'repository').map(({ name }) => name);
    const inside = places.flatMap((place) => (place.kind === 'folder' ? place.inside : []));
    const end = performance.now() + (patience ?? 0);
    const known = await this.#summaries.of(single, patience);
    // A few are read now, some more are known to the next page.
    if (inside.length <= MOST_IN_FOLDERS) {
      await within(patience && end - performance.now(), this.#summaries.fill(inside));
    }
    const rows = places.map((place): RepositoryRow | FolderRow => {
      const { kind, name } = place;
      if (kind === 'folder') return { kind, name, repositories: place.inside.length, ...pushedOf(this.#pushed(place)) };
      const summary = known.get(name);
      if (summary === undefined) return { kind, name };
      return { kind, name, tags: summary.tags, state: summary.state, ...pushedOf(summary.pushed) };
    });
    const unread: Progress | undefined =
      known.size === single.length ? undefined : { done: known.size, total: single.length, unit: 'repositories' };
    return { rows, unread };
  }

  /** Of a folder: the newest, once all are known. */
  #pushed(place: Place): number | undefined {
    if (place.kind === 'repository') return this.#summaries.known(place.name)?.pushed;
    let latest: number | undefined;
    for (const name of place.inside) {
      const summary = this.#summaries.known(name);
      if (summary === undefined) return undefined;
      if (summary.pushed !== undefined && (latest === undefined || latest < summary.pushed)) latest = summary.pushed;
    }
    return latest;
  }
}

function repository(name: string): Place {
  return { kind: 'repository', name };
}

function pushedOf(pushed: number | undefined) {
  return pushed === undefined ? {} : { pushed };
}

/** Names that go on behind the next `/` stand in a folder; a repository of the folder's own name stands beside it. */
function inFolders(names: readonly string[], below: string): Place[] {
  const folders = new Map<string, string[]>();
  const places: Place[] = [];
  for (const name of names) {
    const slash = name.indexOf('/', below.length);
    if (slash < 0) {
      places.push(repository(name));
      continue;
    }
    const folder = name.slice(0, slash);
    const inside = folders.get(folder);
    if (inside !== undefined) {
      inside.push(name);
      continue;
    }
    const first = [name];
    folders.set(folder, first);
    places.push({ kind: 'folder', name: folder, inside: first });
  }
  return places;
}
