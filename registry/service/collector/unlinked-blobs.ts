// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Token } from '../../storage/contract.ts';
import { serves } from '../blobs.ts';
import { LEFT_AFTER_MS } from '../data-age.ts';
import { BLOBS_PREFIX, blobLinkKey, blobRepositoriesPrefix, digestIn } from '../keys.ts';
import { type BlobRecord, damaged, parseBlob, parseBlobLink, parseBlobMarker } from '../records.ts';
import type { Round } from './round.ts';
import { each, pages } from './walk.ts';

interface Found {
  key: string;
  digest: Digest;
  blob: BlobRecord;
  token: Token;
}

/**
 * Blobs that no repository links. Condemn, look for links, delete by compare-and-swap: whoever links a blob looks at
 * its record after he wrote the link (`Blobs`), so either he sees the mark and takes it off, or this sees his link.
 * Nobody can see a blob without a link, so nothing has to settle here.
 */
export async function collectBlobs(round: Round, from?: string): Promise<void> {
  for await (const keys of pages(round.store, BLOBS_PREFIX, from)) {
    await each(keys, async (key) => {
      await round.sparing(key, () => judge(round, key));
    });
    await round.breathe(keys.at(-1));
  }
}

async function judge(round: Round, key: string): Promise<void> {
  const stored = await round.store.get(key);
  if (stored === undefined) return;
  const digest = digestIn(key, BLOBS_PREFIX);
  if (digest === undefined) throw damaged(key);
  const found: Found = { key, digest, blob: parseBlob(stored, key), token: stored.token };
  const { blob } = found;
  round.tally.add('blobs');
  if (blob.state === 'deleted') return bury(round, found);
  const linked = await isLinked(round, found);
  if (blob.state === 'condemned') return linked ? revive(round, found) : remove(round, found);
  if (linked || round.now() - blob.renewed < round.policy.graceMs) return;

  const condemned: BlobRecord = { ...blob, state: 'condemned', epoch: blob.epoch + 1 };
  const token = await round.replace(key, condemned, found.token);
  if (token === undefined) return;
  round.tally.add('blobsCondemned');
  const now = { ...found, blob: condemned, token };
  // Only from here on nobody links it without seeing the mark.
  return (await isLinked(round, now)) ? revive(round, now) : remove(round, now);
}

async function revive(round: Round, { key, blob, token }: Found): Promise<void> {
  const live: BlobRecord = { ...blob, state: 'live', epoch: blob.epoch + 1 };
  if ((await round.replace(key, live, token)) !== undefined) round.tally.add('blobsRevived');
}

async function remove(round: Round, { key, blob, token }: Found): Promise<void> {
  const deleted: BlobRecord = { ...blob, state: 'deleted', epoch: blob.epoch + 1, renewed: round.now() };
  if ((await round.replace(key, deleted, token)) === undefined) return;
  round.tally.add('blobsDeleted');
  if (await round.deleteData(blob.data)) round.tally.add('bytesFreed', blob.size);
}

/**
 * After a day, the record goes, with the markers of that data: no link that names it can be valid ever again. (Not
 * before: a write that named the data and is repeated by a client of the store, as its answer was lost, must find it.)
 */
async function bury(round: Round, { key, digest, blob, token }: Found): Promise<void> {
  if (await round.deleteData(blob.data)) round.tally.add('bytesFreed', blob.size);
  if (round.now() - blob.renewed < Math.max(round.policy.graceMs, LEFT_AFTER_MS)) return;
  for await (const markers of pages(round.store, blobRepositoriesPrefix(digest))) {
    await each(markers, async (marker) => {
      const stored = await round.store.get(marker);
      if (stored === undefined || parseBlobMarker(stored, marker).data !== blob.data) return;
      await round.delete(marker, stored.token);
    });
  }
  if (await round.delete(key, token)) round.tally.add('entriesDeleted');
}

/** Whether a link stands for the blob as it is now. One that cannot be read counts as one. */
async function isLinked(round: Round, { digest, blob }: Found): Promise<boolean> {
  const prefix = blobRepositoriesPrefix(digest);
  const absent: string[] = [];
  for await (const markers of pages(round.store, prefix)) {
    for (const marker of markers) {
      const key = blobLinkKey(marker.slice(prefix.length, -1), digest);
      const stored = round.isGone(key) ? undefined : await round.store.get(key);
      if (stored === undefined) {
        absent.push(key);
        continue;
      }
      const link = await round.sparing(key, async () => parseBlobLink(stored, key));
      if (link === undefined || serves(link, blob)) return true;
    }
  }
  // Links that were deleted just now: the blob must not go before they are gone durably.
  await round.store.settle(absent);
  return false;
}
