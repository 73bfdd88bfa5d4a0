// SPDX-License-Identifier: Apache-2.0
import type { DataState } from '../../storage/contract.ts';
import { LEFT_AFTER_MS } from '../data-age.ts';
import { BLOBS_PREFIX, DATA_PREFIX, dataTime, UPLOADS_PREFIX } from '../keys.ts';
import { parseBlob, parseSession } from '../records.ts';
import { KeyFilter } from './key-filter.ts';
import type { Round } from './round.ts';
import { each, pages } from './walk.ts';

/** More are left for the next collection. */
const SUSPECTS_AT_ONCE = 10_000;

/**
 * Data that nothing names, and will not be named any more (`data-age.ts`): of a process that died between the bytes
 * and their record, of a deletion that was interrupted, of uploads that a loss of power took the sessions of.
 *
 * Blob records name their data, not the other way round. So all records are read first into a filter of fixed size,
 * which leaves the few keys that nothing seems to name; only where there are any, the records are read once more.
 */
export async function collectLeftData(round: Round): Promise<void> {
  const before = round.now() - Math.max(LEFT_AFTER_MS, round.policy.graceMs);
  await abortUnfinished(round, before);
  const filter = new KeyFilter(round.tally.counts.blobs, round.surroundings.uniqueId());
  if (!(await readNamed(round, (key) => filter.add(key)))) return;
  const suspects = await readSuspects(round, before, filter);
  if (suspects.size === 0) return;
  // In this order: an upload's session goes only after the blob's record is there.
  for (const key of await readSessions(round)) suspects.delete(key);
  if (!(await readNamed(round, (key) => suspects.delete(key)))) return;
  await each([...suspects], async (key) => {
    const size = (await round.store.sizeOfData(key)) ?? 0;
    if (!(await round.deleteData(key))) return;
    round.tally.add('leftDataDeleted');
    round.tally.add('bytesFreed', size);
  });
}

async function readSuspects(round: Round, before: number, filter: KeyFilter): Promise<Set<string>> {
  const suspects = new Set<string>();
  for await (const keys of pages(round.store, DATA_PREFIX)) {
    for (const key of keys) {
      const time = dataTime(key);
      // They come in the order of time.
      if (time !== undefined && time > before) return suspects;
      round.tally.add('data');
      if (time !== undefined && !filter.mayHave(key)) suspects.add(key);
      if (suspects.size >= SUSPECTS_AT_ONCE) return suspects;
    }
    await round.breathe();
  }
  return suspects;
}

/** @returns false where a damaged record may name anything */
async function readNamed(round: Round, see: (key: string) => void): Promise<boolean> {
  let whole = true;
  for await (const keys of pages(round.store, BLOBS_PREFIX)) {
    await each(keys, async (key) => {
      const stored = await round.store.get(key);
      if (stored === undefined) return;
      const blob = await round.sparing(key, async () => parseBlob(stored, key));
      if (blob === undefined) whole = false;
      else see(blob.data);
    });
    await round.breathe();
    if (!whole) return false;
  }
  return true;
}

async function abortUnfinished(round: Round, before: number): Promise<void> {
  const suspects = new Map<string, DataState>();
  for await (const { state, touched } of round.store.unfinishedData()) {
    // Data that was taken over has a new key, and may look as old as it was before.
    if (Math.max(touched, dataTime(state.key) ?? 0) > before) continue;
    suspects.set(state.key, state);
    if (suspects.size >= SUSPECTS_AT_ONCE) break;
  }
  if (suspects.size === 0) return;
  for (const key of await readSessions(round)) suspects.delete(key);
  await each([...suspects.values()], async (state) => {
    if (!round.policy.dryRun) await round.store.abortData(state);
    round.tally.add('leftDataDeleted');
  });
}

/** The keys of the data of unfinished uploads. */
async function readSessions(round: Round): Promise<Set<string>> {
  const named = new Set<string>();
  for await (const keys of pages(round.store, UPLOADS_PREFIX)) {
    await each(keys, async (key) => {
      const stored = await round.store.get(key);
      const session = stored === undefined ? undefined : parseSession(stored);
      if (session?.data !== undefined) named.add(session.data.key);
    });
    await round.breathe();
  }
  return named;
}
