// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Token } from '../../storage/contract.ts';
import { blobLinksPrefix, digestIn } from '../keys.ts';
import { type BlobLink, damaged, parseBlobLink } from '../records.ts';
import { type FoundTombstone, readManifests } from './manifests.ts';
import type { Round } from './round.ts';
import { each, pages } from './walk.ts';

/** A repository with more links than this has its manifests read once for each so many; some 20 MB. */
const LINKS_AT_ONCE = 50_000;
/** More are left for the next collection. */
const TOMBSTONES_AT_ONCE = 10_000;

interface Candidate {
  key: string;
  token: Token;
  link: BlobLink;
}

/**
 * The links of a repository to blobs that none of its manifests names. In this order, which is all of the proof: read
 * the links; read the manifests; delete the links that were found condemned *in the first step* and are so still, by
 * that very mark, and condemn those that were not.
 *
 * A push that looked at the link before it was condemned had written its manifest before that look, so the reading of
 * manifests that follows sees it. One that looked after it took the mark off, so the deletion fails.
 *
 * @returns the tombstones that were found on the way
 */
export async function collectLinks(round: Round, repository: string): Promise<FoundTombstone[]> {
  const before = round.tally.counts.linksCondemned;
  const tombstones = await onePass(round, repository, true);
  // Where nothing has to settle, what was condemned just now may go just now: in a pass of its own, for that order.
  const condemned = round.tally.counts.linksCondemned > before;
  if (condemned && round.policy.settleMs <= 0 && !round.policy.dryRun) await onePass(round, repository, false);
  return tombstones;
}

async function onePass(round: Round, repository: string, first: boolean): Promise<FoundTombstone[]> {
  const tombstones: FoundTombstone[] = [];
  for (let from: string | undefined, begun = false; !begun || from !== undefined; ) {
    const { candidates, next } = await readLinks(round, repository, from, first);
    const reading = first && !begun;
    begun = true;
    from = next;
    if (candidates.size === 0 && !reading) continue;
    const named = await removeNamed(round, repository, candidates, reading ? tombstones : undefined);
    await each(named, (candidate) => revive(round, candidate));
    await each([...candidates.values()], (candidate) => judge(round, candidate));
  }
  return tombstones;
}

/** Those that may go: condemned, or old enough to be. */
async function readLinks(round: Round, repository: string, from: string | undefined, counted: boolean) {
  const prefix = blobLinksPrefix(repository);
  const candidates = new Map<Digest, Candidate>();
  for await (const keys of pages(round.store, prefix, from)) {
    await each(keys, async (key) => {
      await round.sparing(key, async () => {
        const stored = await round.store.get(key);
        if (stored === undefined) return;
        const digest = digestIn(key, prefix);
        if (digest === undefined) throw damaged(key);
        const link = parseBlobLink(stored, key);
        if (counted) round.tally.add('links');
        const old = round.now() - link.renewed >= round.policy.graceMs;
        if (old || link.condemned !== undefined) candidates.set(digest, { key, token: stored.token, link });
      });
    });
    await round.breathe();
    if (candidates.size >= LINKS_AT_ONCE) return { candidates, next: keys.at(-1) };
  }
  return { candidates, next: undefined };
}

/** Reads all manifests. @returns the candidates that are named */
async function removeNamed(
  round: Round,
  repository: string,
  candidates: Map<Digest, Candidate>,
  tombstones: FoundTombstone[] | undefined,
): Promise<Candidate[]> {
  const named: Candidate[] = [];
  await readManifests(round, repository, {
    manifest({ needs }) {
      if (tombstones !== undefined) round.tally.add('manifests');
      // Whatever an index lists may be kept as a blob as well.
      for (const { digest } of needs) {
        const candidate = candidates.get(digest);
        if (candidate !== undefined) named.push(candidate);
        candidates.delete(digest);
      }
    },
    tombstone(found) {
      if (tombstones !== undefined && tombstones.length < TOMBSTONES_AT_ONCE) tombstones.push(found);
    },
  });
  return named;
}

async function revive(round: Round, { key, token, link }: Candidate): Promise<void> {
  if (link.condemned === undefined) return;
  const { condemned: _, ...alive } = link;
  if ((await round.replace(key, alive, token)) !== undefined) round.tally.add('linksRevived');
}

async function judge(round: Round, { key, token, link }: Candidate): Promise<void> {
  const { settleMs, dryRun } = round.policy;
  if (link.condemned === undefined) {
    const condemned = { id: round.surroundings.uniqueId(), at: round.now() };
    if ((await round.replace(key, { ...link, condemned }, token)) === undefined) return;
    round.tally.add('linksCondemned');
    if (!dryRun || settleMs > 0) return;
  } else if (round.now() - link.condemned.at < settleMs) {
    return;
  }
  if (await round.delete(key, token)) round.tally.add('linksDeleted');
}
