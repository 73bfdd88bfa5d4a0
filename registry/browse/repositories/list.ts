// SPDX-License-Identifier: Apache-2.0
import { cutPage, matches, wordsOf } from '../page.ts';
import type { FolderRow, RepositoriesQuery, RepositoryPage, RepositoryRow } from '../types/repository.ts';
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
    const names = await this.#names.all();
    const words = wordsOf(query.search);
    const below = query.prefix ? `${query.prefix.replace(/\/+$/, '')}/` : '';
    const found = names.filter((name) => name.startsWith(below) && matches(name, words));
    const places = query.folders && words.length === 0 ? inFolders(found, below) : found.map(repository);
    const byTime = query.sort === 'pushed';
    const making = byTime ? await this.#summaries.fill(found) : undefined;
    if (byTime) {
      const times = new Map(places.map((place) => [place, this.#pushed(place) ?? 0]));
      places.sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0));
    }
    const cut = cutPage(places, query);
    const rows = await this.#rows(cut.rows);
    return { ...cut, rows, total: names.length, ...(making === undefined ? {} : { making }) };
  }

  async #rows(places: readonly Place[]): Promise<(RepositoryRow | FolderRow)[]> {
    const single = places.filter((place) => place.kind === 'repository').map(({ name }) => name);
    const summaries = await this.#summaries.of(single);
    const known = new Map(single.map((name, at) => [name, summaries[at]]));
    const inside = places.flatMap((place) => (place.kind === 'folder' ? place.inside : []));
    // A few are read now, some more are known to the next page.
    if (inside.length <= MOST_IN_FOLDERS) await this.#summaries.fill(inside);
    return places.map((place) => {
      const { kind, name } = place;
      if (kind === 'folder') return { kind, name, repositories: place.inside.length, ...pushedOf(this.#pushed(place)) };
      const summary = known.get(name);
      return {
        kind,
        name,
        tags: summary?.tags ?? 0,
        state: summary?.state ?? 'empty',
        ...pushedOf(summary?.pushed),
      };
    });
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
