// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type { StoredRecord } from '../../storage/contract.ts';
import { digestIn, manifestsPrefix } from '../keys.ts';
import { type ManifestContent, readStoredManifest } from '../manifest-content.ts';
import { isTombstone, type ManifestRecord, parseManifestRecord, type Tombstone } from '../manifest-record.ts';
import { damaged } from '../records.ts';
import type { Round } from './round.ts';
import { each, pages } from './walk.ts';

export interface FoundTombstone {
  key: string;
  stored: StoredRecord;
  tombstone: Tombstone;
}

/**
 * Reads all manifests of a repository, as they are after this was called. One that is there before and stays is seen.
 *
 * @throws RegistryError `STORAGE_DAMAGED`, as what a damaged manifest names is anybody's guess
 */
export async function readManifests(
  round: Round,
  repository: string,
  see: { manifest(content: ManifestContent): void; tombstone(found: FoundTombstone): void },
): Promise<void> {
  const prefix = manifestsPrefix(repository);
  for await (const keys of pages(round.store, prefix)) {
    await each(keys, async (key) => {
      const stored = await round.store.get(key);
      if (stored === undefined) return;
      if (digestIn(key, prefix) === undefined) throw damaged(key);
      const record = parseManifestRecord(stored, key);
      if (isTombstone(record)) {
        // What goes because of it must not go before the deletion itself is durable.
        await round.store.settle([key]);
        see.tombstone({ key, stored, tombstone: record });
      } else see.manifest(contentOf(key, record));
    });
    await round.breathe();
  }
}

function contentOf(key: string, record: ManifestRecord): ManifestContent {
  try {
    return readStoredManifest(record.bytes, record.mediaType);
  } catch (error) {
    if (error instanceof RegistryError) throw damaged(key, error);
    throw error;
  }
}
