// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import { LEFT_AFTER_MS } from '../../service/data-age.ts';
import { blobKey, digestIn } from '../../service/keys.ts';
import { parseBlob } from '../../service/records.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { keysBelow } from '../repositories/contents.ts';
import { INDEX_DATA_PREFIX, INDEXES_PREFIX, indexDataTime, indexKey, MAKING_PREFIX } from './index-keys.ts';

/**
 * Deletes indexes of layers that are gone, those of other versions, and data that no record names. An index is only ever
 * made again, so nothing here has to be certain.
 *
 * @returns how many records and data were deleted
 */
export async function pruneIndexes(
  store: ObjectStore,
  surroundings: Surroundings,
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  const named = new Set<string>();
  for await (const key of keysBelow(store, INDEXES_PREFIX)) {
    signal?.throwIfAborted();
    const stored = await store.get(key);
    const data = stored === undefined ? undefined : dataIn(stored.bytes);
    const digest = digestIn(key.slice(key.indexOf('/', INDEXES_PREFIX.length) + 1), '');
    if (digest !== undefined && key === indexKey(digest) && (await isThere(store, digest))) {
      if (data !== undefined) named.add(data);
      continue;
    }
    await store.delete(key, { durable: false });
    deleted += 1;
    if (data !== undefined && (await store.deleteData(data))) deleted += 1;
  }
  for await (const key of keysBelow(store, INDEX_DATA_PREFIX)) {
    signal?.throwIfAborted();
    const age = surroundings.now() - (indexDataTime(key) ?? 0);
    if (!named.has(key) && age > LEFT_AFTER_MS && (await store.deleteData(key))) deleted += 1;
  }
  for await (const key of keysBelow(store, MAKING_PREFIX)) {
    const stored = await store.get(key);
    if (stored === undefined || surroundings.now() - (timeIn(stored.bytes) ?? 0) < LEFT_AFTER_MS) continue;
    if (await store.delete(key, { ifMatch: stored.token, durable: false })) deleted += 1;
  }
  return deleted;
}

async function isThere(store: ObjectStore, digest: Digest): Promise<boolean> {
  const stored = await store.get(blobKey(digest));
  return stored !== undefined && parseBlob(stored, blobKey(digest)).state !== 'deleted';
}

function dataIn(bytes: Buffer): string | undefined {
  const data = fieldIn(bytes, 'data');
  return typeof data === 'string' && data.startsWith(INDEX_DATA_PREFIX) ? data : undefined;
}

function timeIn(bytes: Buffer): number | undefined {
  const at = fieldIn(bytes, 'at');
  return typeof at === 'number' ? at : undefined;
}

function fieldIn(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))?.[name];
  } catch {
    return undefined;
  }
}
