// SPDX-License-Identifier: Apache-2.0
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import * as z from 'zod';
import { encode } from '../../service/records.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import type { Progress } from '../types/paging.ts';
import { repositorySpaceSchema, spacePageSchema } from '../types/space.ts';

/*
 * What was measured, for all processes of all replicas:
 *
 *     space/<days>          the numbers, compressed
 *     space-making/<days>   who measures now
 */
const wholeSchema = z.object({
  at: z.number(),
  all: spacePageSchema.shape.all,
  rows: z.array(repositorySpaceSchema),
});
export type Whole = z.infer<typeof wholeSchema>;

const claimSchema = z.object({ by: z.string(), at: z.number(), done: z.number(), total: z.number() });

/** A record has at most 5 MiB; numbers of more repositories stay in memory. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_UNPACKED = 256 * 1024 * 1024;
const CLAIMED_EVERY_MS = 1_000;
/** A claim that was not renewed for this long is of a process that ended. */
const CLAIM_MS = 10_000;

/** Numbers that one process has measured and others show. */
export class StoredSpaces {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;
  readonly #me: string;

  constructor(store: ObjectStore, surroundings: Surroundings) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#me = surroundings.uniqueId();
  }

  /** What does not read is measured again. */
  async read(days: number): Promise<Whole | undefined> {
    const stored = await this.#store.get(`space/${days}`);
    if (stored === undefined) return undefined;
    try {
      const text = zstdDecompressSync(stored.bytes, { maxOutputLength: MOST_UNPACKED }).toString('utf8');
      return wholeSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  async write(days: number, whole: Whole): Promise<void> {
    const bytes = zstdCompressSync(JSON.stringify(whole));
    if (bytes.length <= MOST_BYTES) await this.#store.put(`space/${days}`, bytes, { durable: false });
  }

  /** How far another process is. */
  async making(days: number): Promise<Progress | undefined> {
    const stored = await this.#store.get(`space-making/${days}`);
    const claim = stored === undefined ? undefined : claimSchema.safeParse(parse(stored.bytes)).data;
    if (claim === undefined || claim.by === this.#me || this.#surroundings.now() - claim.at > CLAIM_MS)
      return undefined;
    return { done: claim.done, total: claim.total, unit: 'repositories' };
  }

  /** Tells others that this process measures, until the claim is disposed of. */
  async claim(days: number, progress: Progress): Promise<AsyncDisposable> {
    const key = `space-making/${days}`;
    const put = async () => {
      const { done, total = 0 } = progress;
      const claim = { by: this.#me, at: this.#surroundings.now(), done, total };
      await this.#store.put(key, encode(claim), { durable: false }).catch(() => undefined);
    };
    await put();
    const timer = setInterval(put, CLAIMED_EVERY_MS);
    timer.unref();
    return {
      [Symbol.asyncDispose]: async () => {
        clearInterval(timer);
        await this.#store.delete(key, { durable: false }).catch(() => undefined);
      },
    };
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
