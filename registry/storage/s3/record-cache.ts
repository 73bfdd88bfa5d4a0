// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { StoredRecord } from '../contract.ts';

/**
 * Bytes of records that were read or written before, bounded, least recently used go first. It decides nothing: an entry
 * is used only after the store said, in the same request, that the record still has that entity tag.
 */
export class RecordCache {
  readonly #records: LRUCache<string, StoredRecord> | undefined;

  /** @param limit bytes, of all records together; 0: no cache */
  constructor(limit: number) {
    if (limit <= 0) return;
    this.#records = new LRUCache({ maxSize: limit, maxEntrySize: Math.ceil(limit / 16), sizeCalculation: cost });
  }

  find(path: string): StoredRecord | undefined {
    return this.#records?.get(path);
  }

  /** @returns what to hand out for that version: the record that is known already, if it is the same */
  keep(path: string, record: StoredRecord): StoredRecord {
    const known = this.#records?.peek(path);
    if (known?.token === record.token) return known;
    this.#records?.set(path, record);
    return record;
  }

  forget(path: string): void {
    this.#records?.delete(path);
  }
}

/** Strings, the map's slot and the objects around the bytes come to a few hundred bytes an entry. */
function cost(record: StoredRecord, path: string): number {
  return record.bytes.length + path.length * 2 + 400;
}
