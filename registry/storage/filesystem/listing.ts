// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, promises as fs } from 'node:fs';
import type { ListOptions, ListPage } from '../contract.ts';
import { orUndefined, storage } from './failures.ts';
import type { Layout } from './layout.ts';

/** See `record-cache.ts`: a folder that changed just now could change again without showing it. */
const TICK_MS = 50n;
/** Names kept in memory, of all folders together. */
const MAX_NAMES = 1_000_000;

interface Listing {
  stats: BigIntStats;
  /** In byte order; folders end with `/`, which is how their keys compare. */
  names: string[];
}

/** A read of a folder under way, and the state in which the request that began it found the folder. */
interface Read {
  /** Whether that state was old enough by then for every change after it to show. */
  settled: boolean;
  mtimeNs: bigint;
  inode: bigint;
  names: Promise<string[]>;
}

/**
 * Keys in byte order, without reading more folders than the answer needs. A folder that did not change is not read
 * again: its timestamp is asked for each time, its sorted names are kept. Who waits for the same folder shares one read.
 */
export class Listings {
  readonly #layout: Layout;
  readonly #kept = new Map<string, Listing>();
  readonly #reading = new Map<string, Read>();
  readonly #queued = new Map<string, Promise<string[]>>();
  #keptNames = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  list(options: ListOptions): Promise<ListPage> {
    const { prefix, after = '', limit } = options;
    const folder = prefix.slice(0, -1);
    this.#layout.objectPath(folder);
    return storage(`list ${prefix}`, async () => {
      if (limit <= 0) return { keys: [], more: false };
      const keys: string[] = [];
      await this.#collect(prefix, after, limit + 1, keys);
      const more = keys.length > limit;
      if (more) keys.pop();
      return { keys, more };
    });
  }

  async #collect(prefix: string, after: string, limit: number, found: string[]): Promise<void> {
    if (after > prefix && !after.startsWith(prefix)) return;
    const names = await this.#names(`${this.#layout.objects}/${prefix.slice(0, -1)}`);
    const cursor = after.startsWith(prefix) ? after.slice(prefix.length) : '';
    for (let at = firstBehind(names, cursor); at < names.length; at += 1) {
      if (found.length >= limit) return;
      // In bounds by the loop's condition.
      const name = names[at] as string;
      if (name.endsWith('/')) await this.#collect(prefix + name, after, limit, found);
      else found.push(prefix + name);
    }
  }

  async #names(folder: string): Promise<string[]> {
    const now = await orUndefined(fs.stat(folder, { bigint: true }));
    if (now === undefined) return [];
    const kept = this.#kept.get(folder);
    if (kept?.stats.mtimeNs === now.mtimeNs && kept.stats.ino === now.ino) {
      this.#kept.delete(folder);
      this.#kept.set(folder, kept);
      return kept.names;
    }
    return this.#share(folder, now);
  }

  /**
   * A read that already runs may have passed a name by that was there when this request came, unless it found the folder
   * as this request did. All others who come during it share the next one: a folder that changes all the time is read by
   * one at a time, however many wait.
   */
  #share(folder: string, now: BigIntStats): Promise<string[]> {
    const reading = this.#reading.get(folder);
    if (reading === undefined) return this.#start(folder, now);
    if (reading.settled && reading.mtimeNs === now.mtimeNs && reading.inode === now.ino) return reading.names;
    const queued = this.#queued.get(folder);
    if (queued !== undefined) return queued;
    const next = reading.names
      .catch(() => undefined)
      .then(async () => {
        this.#queued.delete(folder);
        return this.#names(folder);
      });
    this.#queued.set(folder, next);
    return next;
  }

  #start(folder: string, { mtimeNs, mtimeMs, ino: inode }: BigIntStats): Promise<string[]> {
    const settled = BigInt(Date.now()) - mtimeMs > TICK_MS;
    const names = this.#read(folder).finally(() => {
      if (this.#reading.get(folder)?.names === names) this.#reading.delete(folder);
    });
    this.#reading.set(folder, { settled, mtimeNs, inode, names });
    return names;
  }

  async #read(folder: string): Promise<string[]> {
    const before = await orUndefined(fs.stat(folder, { bigint: true }));
    if (before === undefined) return [];
    const readAt = BigInt(Date.now());
    const entries = (await orUndefined(fs.readdir(folder, { withFileTypes: true }))) ?? [];
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort(byBytes);
    if (readAt - before.mtimeMs > TICK_MS) this.#keep(folder, { stats: before, names });
    return names;
  }

  #keep(folder: string, listing: Listing): void {
    this.#forget(folder);
    this.#kept.set(folder, listing);
    this.#keptNames += listing.names.length + 1;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptNames <= MAX_NAMES) break;
      this.#forget(oldest);
    }
  }

  #forget(folder: string): void {
    const old = this.#kept.get(folder);
    if (old === undefined) return;
    this.#kept.delete(folder);
    this.#keptNames -= old.names.length + 1;
  }
}

/** Keys are ASCII (`checkKey`), so the order of UTF-16 units is byte order. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first name behind `cursor`, or the folder that `cursor` points into. */
function firstBehind(names: string[], cursor: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // In bounds: low <= middle < high <= length.
    if ((names[middle] as string) <= cursor) low = middle + 1;
    else high = middle;
  }
  const before = names[low - 1];
  return before?.endsWith('/') && cursor.startsWith(before) ? low - 1 : low;
}
