// SPDX-License-Identifier: Apache-2.0
import type { ObjectStore } from '../../storage/contract.ts';
import { REPOSITORIES_PREFIX } from '../keys.ts';

const PAGE = 500;
/** Requests of one collection that are under way at once. */
const WIDTH = 16;

/** All keys below a folder, a page at a time. */
export async function* pages(store: ObjectStore, prefix: string, from = '', limit = PAGE): AsyncGenerator<string[]> {
  for (let after = from; ; ) {
    const { keys, more } = await store.list({ prefix, after, limit });
    if (keys.length > 0) yield keys;
    after = keys.at(-1) ?? after;
    if (!more) return;
  }
}

/** Works through some items, a few at a time. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += WIDTH) await Promise.all(items.slice(at, at + WIDTH).map(work));
}

/**
 * The names of all repositories that hold anything, whether or not the catalogue knows them. Jumps from one section
 * (`_blobs`, `_tags`) to the next, so that it costs a few lists a repository, however much it holds.
 */
export async function* repositories(store: ObjectStore, from?: string): AsyncGenerator<string> {
  // `~` is behind everything that a key can hold.
  let after = from === undefined ? '' : `${REPOSITORIES_PREFIX}${from}/_~`;
  for (let last = from; ; ) {
    const { keys } = await store.list({ prefix: REPOSITORIES_PREFIX, after, limit: 1 });
    const found = /^([^_].*?)\/(_[^/]+)\//.exec(keys[0]?.slice(REPOSITORIES_PREFIX.length) ?? '');
    const [, name, section] = found ?? [];
    if (name === undefined) return;
    if (name !== last) yield name;
    last = name;
    after = `${REPOSITORIES_PREFIX}${name}/${section}/~`;
  }
}
