// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Changes } from '../../service/changes.ts';
import {
  allReferrersPrefix,
  digestIn,
  manifestsPrefix,
  REPOSITORIES_PREFIX,
  tagHistoryPrefix,
  tagsPrefix,
} from '../../service/keys.ts';
import { isTombstone, parseManifestRecord } from '../../service/manifest-record.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce } from '../at-once.ts';
import { type AttachedTag, attachedTag } from './attached-tag.ts';
import { Kept } from './kept.ts';

/** What the names of a repository's records say, without reading the records. */
export interface Contents {
  /** Tags that are versions, in byte order. */
  versions: readonly string[];
  /** Tags that attach something, by the manifest that they attach it to. */
  attached: ReadonlyMap<Digest, readonly (AttachedTag & { tag: string })[]>;
  /** When each tag was last moved, milliseconds since 1970, as far as that was written down. */
  moved: ReadonlyMap<string, number>;
  /** The latest of these, and of attached tags. */
  pushed: number | undefined;
  state: 'tagged' | 'untagged' | 'empty';
  /** Referrers, by their subjects. Entries of manifests that are gone may be among them. */
  referrers: ReadonlyMap<Digest, readonly Digest[]>;
  /** Whether there are more tags than are read. */
  more: boolean;
}

/** What a list of repositories says of each. */
export interface Summary {
  /** That are versions. */
  tags: number;
  state: 'tagged' | 'untagged' | 'empty';
  pushed: number | undefined;
}

/** A repository with no more keys than that is read by one listing. */
const FEW_KEYS = 300;
/** More tags of one repository are left out. */
const MOST_TAGS = 300_000;
/** Names kept in memory, of all repositories together. */
const MOST_NAMES = 400_000;
/** What repositories hold, read when it is asked for, and kept until they change. */
export type AllContents = Kept<Contents>;

export function keepContents(store: ObjectStore, changes: Changes, surroundings: Surroundings): AllContents {
  return new Kept(changes, surroundings, {
    read: (repository) => readContents(store, repository),
    weigh: ({ versions, moved, referrers, attached }) => versions.length + moved.size + referrers.size + attached.size,
    most: MOST_NAMES,
  });
}

async function readContents(store: ObjectStore, repository: string): Promise<Contents> {
  const few = await fewKeys(store, repository);
  const below = (prefix: string) => few?.filter((key) => key.startsWith(prefix)) ?? keysBelow(store, prefix);
  const [{ names, more }, history, referrers] = await Promise.all([
    readNames(below(tagsPrefix(repository)), tagsPrefix(repository)),
    readHistory(below(tagHistoryPrefix(repository)), tagHistoryPrefix(repository)),
    readReferrers(below(allReferrersPrefix(repository)), allReferrersPrefix(repository)),
  ]);
  const versions: string[] = [];
  const attached = new Map<Digest, (AttachedTag & { tag: string })[]>();
  for (const tag of names) {
    const found = attachedTag(tag);
    if (found === undefined) versions.push(tag);
    else attached.set(found.subject, [...(attached.get(found.subject) ?? []), { ...found, tag }]);
  }
  const state = names.length > 0 ? 'tagged' : (await holdsManifests(store, repository)) ? 'untagged' : 'empty';
  const moved = new Map(versions.flatMap((tag) => withTime(tag, history.get(tag))));
  const pushed = [...history.values()].reduce<number | undefined>((latest, at) => Math.max(latest ?? 0, at), undefined);
  return { versions, attached, moved, pushed, state, referrers, more };
}

/** All keys of referrers, tags and their history, by one listing where they are few: these folders follow one another. */
async function fewKeys(store: ObjectStore, repository: string): Promise<string[] | undefined> {
  const last = tagsPrefix(repository);
  const prefix = `${REPOSITORIES_PREFIX}${repository}/`;
  const { keys, more } = await store.list({ prefix, after: allReferrersPrefix(repository), limit: FEW_KEYS });
  const isWhole = !more || (keys.at(-1) ?? '') > `${last}\u{ffff}`;
  return isWhole ? keys : undefined;
}

export function summaryOf({ versions, state, pushed }: Contents): Summary {
  return { tags: versions.length, state, pushed };
}

function withTime(tag: string, at: number | undefined): [string, number][] {
  return at === undefined ? [] : [[tag, at]];
}

type Keys = Iterable<string> | AsyncIterable<string>;

async function readNames(keys: Keys, prefix: string) {
  const names: string[] = [];
  for await (const key of keys) {
    if (names.length >= MOST_TAGS) return { names, more: true };
    names.push(key.slice(prefix.length));
  }
  return { names, more: false };
}

/** The latest move of each tag. Its time stands in the key, so no record has to be read. */
async function readHistory(keys: Keys, prefix: string): Promise<Map<string, number>> {
  const latest = new Map<string, number>();
  for await (const key of keys) {
    const [tag = '', time = ''] = key.slice(prefix.length).split('/');
    const at = Number(time.slice(0, 15));
    if (Number.isFinite(at)) latest.set(tag, Math.max(latest.get(tag) ?? 0, at));
  }
  return latest;
}

async function readReferrers(keys: Keys, prefix: string): Promise<Map<Digest, Digest[]>> {
  const found = new Map<Digest, Digest[]>();
  let count = 0;
  for await (const key of keys) {
    if (count++ > MOST_TAGS) break;
    const subject = digestIn(key, prefix);
    const referrer = key.slice(key.lastIndexOf('/') + 1).replace('-', ':') as Digest;
    if (subject === undefined) continue;
    const known = found.get(subject);
    if (known === undefined) found.set(subject, [referrer]);
    else known.push(referrer);
  }
  return found;
}

async function holdsManifests(store: ObjectStore, repository: string): Promise<boolean> {
  const prefix = manifestsPrefix(repository);
  for (let after = ''; ; ) {
    const { keys, more } = await store.list({ prefix, after, limit: 100 });
    const held = await atOnce(keys, 16, (key) => holdsManifest(store, key));
    if (held.includes(true)) return true;
    after = keys.at(-1) ?? after;
    if (!more) return false;
  }
}

async function holdsManifest(store: ObjectStore, key: string): Promise<boolean> {
  const stored = await store.get(key);
  return stored !== undefined && !isTombstone(parseManifestRecord(stored, key));
}

/** All keys below a folder, in order. */
export async function* keysBelow(store: ObjectStore, prefix: string, from = ''): AsyncGenerator<string> {
  for (let after = from; ; ) {
    const { keys, more } = await store.list({ prefix, after, limit: 1000 });
    yield* keys;
    after = keys.at(-1) ?? after;
    if (!more) return;
  }
}

/** Digests of the manifests of a repository, tombstones among them. */
export async function* manifestDigests(store: ObjectStore, repository: string): AsyncGenerator<Digest> {
  const prefix = manifestsPrefix(repository);
  for await (const key of keysBelow(store, prefix)) {
    const digest = digestIn(key, prefix);
    if (digest !== undefined) yield digest;
  }
}
