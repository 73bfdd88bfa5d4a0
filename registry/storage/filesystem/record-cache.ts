// SPDX-License-Identifier: Apache-2.0
import type { BigIntStats } from 'node:fs';
import type { StoredRecord } from '../contract.ts';

/**
 * Timestamps of files move in ticks of the kernel's clock (4 ms and 10 ms are usual). A file that changed within this
 * time before it was read could change again without showing it, so it is not kept.
 */
const TICK_MS = 50n;

interface Entry {
  inode: bigint;
  changedNs: bigint;
  record: StoredRecord;
}

/**
 * Bytes of records that were read before, bounded, least recently used go first. It decides nothing: an entry is only
 * used after a `stat` in the same request said that the file is still that one (every write makes a new inode).
 */
export class RecordCache {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  readonly #largest: number;
  #bytes = 0;

  /** @param limit bytes, of all records together */
  constructor(limit: number) {
    this.#limit = limit;
    this.#largest = Math.floor(limit / 16);
  }

  find(path: string, now: BigIntStats): StoredRecord | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    this.#entries.delete(path);
    if (entry.inode !== now.ino || entry.changedNs !== now.ctimeNs) {
      this.#bytes -= cost(path, entry);
      return undefined;
    }
    this.#entries.set(path, entry);
    return entry.record;
  }

  keep(path: string, stats: BigIntStats, record: StoredRecord): void {
    if (record.bytes.length > this.#largest || BigInt(Date.now()) - stats.ctimeMs <= TICK_MS) return;
    const old = this.#entries.get(path);
    if (old !== undefined) {
      this.#bytes -= cost(path, old);
      this.#entries.delete(path);
    }
    const entry = { inode: stats.ino, changedNs: stats.ctimeNs, record };
    this.#entries.set(path, entry);
    this.#bytes += cost(path, entry);
    for (const [oldest, victim] of this.#entries) {
      if (this.#bytes <= this.#limit) break;
      this.#entries.delete(oldest);
      this.#bytes -= cost(oldest, victim);
    }
  }
}

/** Strings, the map's slot and the objects around the bytes come to a few hundred bytes an entry. */
function cost(path: string, entry: Entry): number {
  return entry.record.bytes.length + path.length * 2 + 400;
}
