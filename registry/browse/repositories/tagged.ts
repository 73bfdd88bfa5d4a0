// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Changes } from '../../service/changes.ts';
import type { Service } from '../../service/index.ts';
import { allTaggedPrefix, digestIn, taggedPrefix } from '../../service/keys.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce } from '../at-once.ts';
import { keysBelow } from './contents.ts';
import { Kept } from './kept.ts';

/** Which tags point at which manifests, in a repository. */
export type Tagged = ReadonlyMap<Digest, readonly string[]>;
export type AllTagged = Kept<Tagged>;

const MOST_KEPT = 200_000;
const MOST_OF_ONE = 100;

export function keepTagged(
  store: ObjectStore,
  service: Service,
  changes: Changes,
  surroundings: Surroundings,
): AllTagged {
  return new Kept(changes, surroundings, {
    read: (repository) => readTagged(store, service, repository),
    weigh: (tagged) => tagged.size * 2,
    most: MOST_KEPT,
  });
}

/** Tags that point at one manifest now, in order; at most a hundred. */
export async function tagsAt(
  store: ObjectStore,
  service: Service,
  repository: string,
  digest: Digest,
): Promise<string[]> {
  const prefix = taggedPrefix(repository, digest);
  const { keys } = await store.list({ prefix, limit: MOST_OF_ONE });
  const tags = keys.map((key) => key.slice(prefix.length));
  const records = await atOnce(tags, 16, (tag) => service.tags.find(repository, tag));
  return tags.filter((_, at) => records[at]?.digest === digest);
}

/** Reads the markers, whose keys say it; only tags that have been moved are read themselves. */
async function readTagged(store: ObjectStore, service: Service, repository: string): Promise<Tagged> {
  const prefix = allTaggedPrefix(repository);
  const marked = new Map<string, Digest[]>();
  for await (const key of keysBelow(store, prefix)) {
    const digest = digestIn(key, prefix);
    const tag = key.slice(key.lastIndexOf('/') + 1);
    if (digest !== undefined) marked.set(tag, [...(marked.get(tag) ?? []), digest]);
  }
  const tagged = new Map<Digest, string[]>();
  const add = (digest: Digest, tag: string) => {
    const known = tagged.get(digest);
    if (known === undefined) tagged.set(digest, [tag]);
    else known.push(tag);
  };
  await atOnce([...marked], 16, async ([tag]) => {
    // The marker of a tag that was deleted stays, so even a single one is no proof.
    const record = await service.tags.find(repository, tag);
    if (record !== undefined) add(record.digest, tag);
  });
  return tagged;
}
