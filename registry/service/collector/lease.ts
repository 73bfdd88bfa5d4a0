// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { ObjectStore, Token } from '../../storage/contract.ts';
import { COLLECTION_KEY } from '../keys.ts';
import { encode } from '../records.ts';
import type { Surroundings } from '../surroundings.ts';
import { COUNTS, type Counts } from './report.ts';

/** A collection that did not say anything for this long is taken for dead, and the next one goes on in its place. */
const LEASE_MS = 2 * 60 * 1000;

export const STAGES = ['uploads', 'repositories', 'blobs', 'data'] as const;
export type Stage = (typeof STAGES)[number];

/** Where a collection stands, for the one that goes on after it. */
const collectionSchema = z.object({
  owner: z.string(),
  /** Milliseconds since 1970. */
  started: z.number(),
  until: z.number(),
  stage: z.enum(STAGES),
  /** The last repository, or key, that is done. */
  after: z.string().optional(),
  counts: z.partialRecord(z.enum(COUNTS), z.number()),
});
export type CollectionRecord = z.infer<typeof collectionSchema>;

/**
 * Keeps two collections from doing the same work twice. Nothing but work rests on it: a collection that lost its lease
 * and does not know it yet does no harm.
 */
export class Lease {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;
  readonly #owner: string;
  #record: CollectionRecord;
  #token: Token;
  #saved: number;

  private constructor(store: ObjectStore, surroundings: Surroundings, record: CollectionRecord, token: Token) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#owner = record.owner;
    this.#record = record;
    this.#token = token;
    this.#saved = surroundings.now();
  }

  /**
   * @param force take it even from one that is alive
   * @returns undefined where another collection is at work
   */
  static async take(store: ObjectStore, surroundings: Surroundings, force: boolean): Promise<Lease | undefined> {
    const owner = surroundings.uniqueId();
    for (;;) {
      const stored = await store.get(COLLECTION_KEY);
      const old = stored === undefined ? undefined : parse(stored.bytes);
      const now = surroundings.now();
      // A store that repeats a write whose answer was lost finds its own.
      if (stored !== undefined && old?.owner === owner) return new Lease(store, surroundings, old, stored.token);
      if (old !== undefined && old.until > now && !force) return undefined;
      const record: CollectionRecord = {
        ...(old ?? { started: now, stage: STAGES[0], counts: {} }),
        owner,
        until: now + LEASE_MS,
      };
      const condition = stored === undefined ? 'absent' : { ifMatch: stored.token };
      const token = await store.put(COLLECTION_KEY, encode(record), { condition, durable: false });
      if (token !== undefined) return new Lease(store, surroundings, record, token);
    }
  }

  /** Where to begin. */
  get place(): { stage: Stage; after: string | undefined; counts: Partial<Counts> } {
    const { stage, after, counts } = this.#record;
    return { stage, after, counts };
  }

  /** Milliseconds since the place was last written down. */
  get age(): number {
    return this.#surroundings.now() - this.#saved;
  }

  /** Writes down how far it came. @returns false where another collection took over */
  save(stage: Stage, after: string | undefined, counts: Counts): Promise<boolean> {
    const { started } = this.#record;
    const until = this.#surroundings.now() + LEASE_MS;
    const place = after === undefined ? { stage } : { stage, after };
    return this.#put({ owner: this.#owner, started, until, ...place, counts });
  }

  /** Lets the next one go on at once. */
  async letGo(): Promise<void> {
    await this.#put({ ...this.#record, until: 0 });
  }

  /** There is nothing to go on with. */
  async finish(): Promise<void> {
    await this.#store.delete(COLLECTION_KEY, { ifMatch: this.#token, durable: false });
  }

  async #put(record: CollectionRecord): Promise<boolean> {
    const condition = { ifMatch: this.#token };
    const bytes = encode(record);
    let token = await this.#store.put(COLLECTION_KEY, bytes, { condition, durable: false });
    if (token === undefined) {
      const found = await this.#store.get(COLLECTION_KEY);
      // As above: it may be ours.
      if (found === undefined || !found.bytes.equals(bytes)) return false;
      token = found.token;
    }
    this.#token = token;
    this.#record = record;
    this.#saved = this.#surroundings.now();
    return true;
  }
}

/** One that does not read is one that a loss of power took. */
function parse(bytes: Buffer): CollectionRecord | undefined {
  try {
    return collectionSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
}
