// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { StoredRecord, Token } from '../../storage/contract.ts';
import { LEFT_AFTER_MS } from '../data-age.ts';
import {
  allReferrersPrefix,
  allTaggedPrefix,
  digestIn,
  manifestKey,
  manifestsPrefix,
  tagHistoryPrefix,
  tagKey,
  tagsPrefix,
} from '../keys.ts';
import { isTombstone, parseManifestRecord } from '../manifest-record.ts';
import { damaged, parseReferrer, parseTag, parseTagged } from '../records.ts';
import { Referrers } from '../referrers.ts';
import { Tags } from '../tags.ts';
import type { FoundTombstone } from './manifests.ts';
import type { Round } from './round.ts';
import { each, pages } from './walk.ts';

/**
 * What names a manifest in a version that is gone for good: tags, markers, referrer entries. A manifest's version only
 * grows, and an entry is written after the version that it names. So what is behind the manifest's version, read after
 * the entry, stays behind it, and may be deleted as long as the entry still is what it was.
 */
export async function collectEntries(round: Round, repository: string): Promise<void> {
  await collectStale(round, repository, tagsPrefix(repository), parseTag);
  const tagged = allTaggedPrefix(repository);
  const readMarker: Parse = (stored, key) => {
    const digest = digestIn(key, tagged);
    if (digest === undefined) throw damaged(key);
    return { digest, version: parseTagged(stored, key).version };
  };
  // A deletion that is under way finds its tags by these markers: first the tag, in its place.
  await collectStale(round, repository, tagged, readMarker, (key) =>
    removeIfStale(round, repository, tagKey(repository, key.slice(key.lastIndexOf('/') + 1)), parseTag),
  );
  await collectStale(round, repository, allReferrersPrefix(repository), (stored, key) => {
    const { descriptor, version } = parseReferrer(stored, key);
    return { digest: descriptor.digest as Digest, version };
  });
  await collectHistory(round, repository);
}

type Parse = (stored: StoredRecord, key: string) => { digest: Digest; version: number };

async function collectStale(
  round: Round,
  repository: string,
  prefix: string,
  parse: Parse,
  first?: (key: string) => Promise<void>,
): Promise<void> {
  for await (const keys of pages(round.store, prefix)) {
    await each(keys, async (key) => {
      await round.sparing(key, () => removeIfStale(round, repository, key, parse, first));
    });
    await round.breathe();
  }
}

async function removeIfStale(
  round: Round,
  repository: string,
  key: string,
  parse: Parse,
  first?: (key: string) => Promise<void>,
): Promise<void> {
  const stored = await round.store.get(key);
  if (stored === undefined) return;
  const { digest, version } = parse(stored, key);
  if ((await versionOf(round, repository, digest)) <= version) return;
  await round.store.settle([manifestKey(repository, digest)]);
  await first?.(key);
  if (await round.delete(key, stored.token)) round.tally.add('entriesDeleted');
}

/** The version of a manifest or its tombstone; of one of which nothing is left, more than any. */
async function versionOf(round: Round, repository: string, digest: Digest): Promise<number> {
  const key = manifestKey(repository, digest);
  const stored = await round.store.get(key);
  return stored === undefined ? Number.POSITIVE_INFINITY : parseManifestRecord(stored, key).version;
}

/**
 * Tombstones, a day after the deletion: by then a new push of the manifest gets a higher version from the clock alone.
 * What a deletion left undone is done first.
 */
export async function collectTombstones(
  round: Round,
  repository: string,
  tombstones: readonly FoundTombstone[],
): Promise<void> {
  const tags = new Tags(round.store, round.surroundings);
  const referrers = new Referrers(round.store);
  for (const { key, stored, tombstone } of tombstones) {
    const digest = digestIn(key, manifestsPrefix(repository));
    const young = round.now() - tombstone.version < Math.max(LEFT_AFTER_MS, round.policy.graceMs);
    if (digest === undefined || young || !isTombstone(tombstone)) continue;
    const { version, subject } = tombstone;
    if (!round.policy.dryRun) {
      await tags.deleteOf(repository, digest, version);
      if (subject !== undefined) await referrers.delete(repository, subject, digest, version);
    }
    if (await round.delete(key, stored.token)) round.tally.add('entriesDeleted');
    await round.breathe();
  }
}

/** Keeps the last moves of each tag. */
async function collectHistory(round: Round, repository: string): Promise<void> {
  const prefix = tagHistoryPrefix(repository);
  let tag: string | undefined;
  let kept: string[] = [];
  for await (const keys of pages(round.store, prefix)) {
    const old: string[] = [];
    for (const key of keys) {
      const of = key.slice(prefix.length, key.lastIndexOf('/'));
      if (of !== tag) kept = [];
      tag = of;
      kept.push(key);
      // They come in the order of time, the oldest first.
      if (kept.length > round.policy.historyKept) old.push(...kept.splice(0, kept.length - round.policy.historyKept));
    }
    await each(old, async (key) => {
      const token: Token | undefined = (await round.store.get(key))?.token;
      if (token !== undefined && (await round.delete(key, token))) round.tally.add('entriesDeleted');
    });
    await round.breathe();
  }
}
