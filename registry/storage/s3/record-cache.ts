// SPDX-License-Identifier: Apache-2.0
import type { StoredRecord } from '../contract.ts';

/**
 * Bytes of records that were read or written before, bounded, least recently used go first. It decides nothing: an entry
 * is used only after the store said, in the same request, that the record still has that entity tag.
 */
export class RecordCache {
  readonly #records = new Map<string, StoredRecord>();
  readonly #limit: number;
  readonly #largest: number;
  #bytes = 0;

  /** @param limit bytes, of all records together */
  constructor(limit: number) {
    this.#limit = limit;
    this.#largest = Math.floor(limit / 16);
  }

  find(path: string): StoredRecord | undefined {
    const record = this.#records.get(path);
    if (record === undefined) return undefined;
    this.#records.delete(path);
    this.#records.set(path, record);
    return record;
  }

  /** @returns what to hand out for that version: the record that is known already, if it is the same */
  keep(path: string, record: StoredRecord): StoredRecord {
    const known = this.#records.get(path);
    if (known?.token === record.token) return known;
    this.forget(path);
    if (record.bytes.length > this.#largest) return record;
    this.#records.set(path, record);
    this.#bytes += cost(path, record);
    for (const [oldest, victim] of this.#records) {
      if (this.#bytes <= this.#limit) break;
      this.#records.delete(oldest);
      this.#bytes -= cost(oldest, victim);
    }
    return record;
  }

  forget(path: string): void {
    const known = this.#records.get(path);
    if (known === undefined) return;
    this.#records.delete(path);
    this.#bytes -= cost(path, known);
  }
}

/** Strings, the map's slot and the objects around the bytes come to a few hundred bytes an entry. */
function cost(path: string, record: StoredRecord): number {
  return record.bytes.length + path.length * 2 + 400;
}
