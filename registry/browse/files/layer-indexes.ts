// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { Digest } from '../../../image-format/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import { type BlobRecord, encode } from '../../service/records.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { collect } from '../content.ts';
import type { Made, Progress } from '../types/paging.ts';
import { freshIndexDataKey, indexKey, makingKey } from './index-keys.ts';
import type { IndexLimits } from './make-index.ts';
import type { FilesThread } from './thread.ts';

/** An index that was made, or the reason why none can be. */
const recordSchema = z.union([
  z.object({ data: z.string(), size: z.int(), unpacked: z.int(), files: z.int() }),
  z.object({ refused: z.string(), at: z.number() }),
]);
type IndexRecord = z.infer<typeof recordSchema>;
export type StoredIndex = Extract<IndexRecord, { data: string }>;

/** Who makes an index now, and how far he is. */
const claimSchema = z.object({ by: z.string(), at: z.number(), done: z.number(), total: z.number() });

const MIB = 1024 * 1024;
/** Unpacked bytes: no honest layer shrinks to less than this part, but small ones may. */
const MOST_RATIO = 200;
const LIMITS: IndexLimits = { entries: 300_000, names: 64 * MIB, parts: 3_000_000, unpacked: 32 * 1024 * MIB };
const LEAST_UNPACKED = 1024 * MIB;
const MOST_INDEX = 64 * MIB;
/** A layer that takes longer is refused. */
const MADE_WITHIN_MS = 15 * 60_000;
/** Layers that wait for their turn; more are told to come back. */
const MOST_QUEUED = 200;
const CLAIMED_EVERY_MS = 1_000;
/** A claim that was not renewed for this long is of a process that ended. */
const CLAIM_MS = 10_000;
/** A layer that could not be listed is tried again after this time: a later version may know how. */
const REFUSED_MS = 24 * 60 * 60 * 1000;
/** Small layers are listed at once: who asks waits this long before he hears "being made". */
const PATIENCE_MS = 500;

interface Making {
  progress: Progress;
  done: Promise<void>;
}

/**
 * The index of each layer's files: made once, when it is first asked for, one at a time in a process, and kept as data of
 * its own in the storage. Another process that makes the same one is seen by its claim.
 */
export class LayerIndexes {
  readonly #store: ObjectStore;
  readonly #service: Service;
  readonly #surroundings: Surroundings;
  readonly #thread: FilesThread;
  readonly #limits: IndexLimits;
  readonly #making = new Map<Digest, Making>();
  readonly #me: string;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    store: ObjectStore,
    service: Service,
    surroundings: Surroundings,
    thread: FilesThread,
    limits: Partial<IndexLimits> = {},
  ) {
    this.#store = store;
    this.#service = service;
    this.#surroundings = surroundings;
    this.#thread = thread;
    this.#limits = { ...LIMITS, ...limits };
    this.#me = surroundings.uniqueId();
  }

  /** The index of a layer, as it stands; asking for one has it made. @throws RegistryError `BLOB_UNKNOWN` */
  async of(repository: string, digest: Digest): Promise<Made<StoredIndex>> {
    const blob = await this.#service.blobs.get(repository, digest);
    const known = await this.#known(digest);
    if (known !== undefined) return known;
    const elsewhere = await this.#claimed(digest);
    if (elsewhere !== undefined) return { state: 'making', progress: elsewhere };
    const making = this.#making.get(digest) ?? this.#begin(digest, blob);
    if (making === undefined) return { state: 'making', progress: { done: 0, total: blob.size, unit: 'bytes' } };
    const ready = await Promise.race([making.done.then(() => true), patience()]);
    const made = ready ? await this.#known(digest) : undefined;
    return made ?? { state: 'making', progress: { ...making.progress } };
  }

  /** What is stored, without having anything made. */
  async peek(digest: Digest): Promise<StoredIndex | undefined> {
    const known = await this.#known(digest);
    return known?.state === 'ready' ? known.value : undefined;
  }

  async read({ data, size }: StoredIndex): Promise<Uint8Array> {
    const bytes = await collect(await this.#store.readData(data), MOST_INDEX);
    if (bytes.length !== size) throw new RegistryError('STORAGE_DAMAGED', `the index ${data} is not whole`);
    return bytes;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread.close();
    await Promise.all([...this.#making.values()].map(({ done }) => done));
  }

  async #known(digest: Digest): Promise<Made<StoredIndex> | undefined> {
    const stored = await this.#store.get(indexKey(digest));
    if (stored === undefined) return undefined;
    const parsed = recordSchema.safeParse(parseJson(stored.bytes));
    if (!parsed.success) return undefined;
    if ('refused' in parsed.data) {
      if (this.#surroundings.now() - parsed.data.at > REFUSED_MS) return undefined;
      return { state: 'refused', reason: { code: 'CONTENT_UNREADABLE', message: parsed.data.refused } };
    }
    return { state: 'ready', value: parsed.data };
  }

  /** What another process makes of it. */
  async #claimed(digest: Digest): Promise<Progress | undefined> {
    const stored = await this.#store.get(makingKey(digest));
    const claim = stored === undefined ? undefined : claimSchema.safeParse(parseJson(stored.bytes)).data;
    if (claim === undefined || claim.by === this.#me) return undefined;
    if (this.#surroundings.now() - claim.at > CLAIM_MS) return undefined;
    return { done: claim.done, total: claim.total, unit: 'bytes' };
  }

  #begin(digest: Digest, blob: BlobRecord): Making | undefined {
    if (this.#closed || this.#making.size >= MOST_QUEUED) return undefined;
    const progress: Progress = { done: 0, total: blob.size, unit: 'bytes' };
    const done = this.#turn.then(async () => {
      try {
        // Somebody may have made it while this one waited.
        if (!this.#closed && (await this.#known(digest)) === undefined) await this.#make(digest, blob, progress);
      } catch {
        // The next request tries again, and meets the same failure if it lasts.
      } finally {
        this.#making.delete(digest);
      }
    });
    this.#turn = done;
    const making = { progress, done };
    this.#making.set(digest, making);
    return making;
  }

  async #make(digest: Digest, blob: BlobRecord, progress: Progress): Promise<void> {
    const claim = () => this.#claim(digest, progress).catch(() => undefined);
    await claim();
    const timer = setInterval(claim, CLAIMED_EVERY_MS);
    timer.unref();
    try {
      const record = await this.#read(blob, progress);
      // In place of what another process wrote meanwhile, whose data is cleared away later.
      await this.#store.put(indexKey(digest), encode(record));
    } finally {
      clearInterval(timer);
      await this.#store.delete(makingKey(digest), { durable: false }).catch(() => undefined);
    }
  }

  async #claim(digest: Digest, { done, total = 0 }: Progress): Promise<void> {
    const at = this.#surroundings.now();
    await this.#store.put(makingKey(digest), encode({ by: this.#me, at, done, total }), { durable: false });
  }

  async #read(blob: BlobRecord, progress: Progress): Promise<IndexRecord> {
    const unpacked = Math.min(this.#limits.unpacked, Math.max(LEAST_UNPACKED, blob.size * MOST_RATIO));
    const signal = AbortSignal.timeout(MADE_WITHIN_MS);
    const counted = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        progress.done += chunk.length;
        yield chunk;
      }
    };
    try {
      if (blob.size === 0) return this.#refused('the layer is empty');
      const source = counted(await this.#store.readData(blob.data));
      const { bytes, ...made } = await this.#thread.index(source, { ...this.#limits, unpacked }, signal);
      if (bytes.length > MOST_INDEX) return this.#refused('the list of its files is too large');
      return { data: await this.#write(bytes), size: bytes.length, unpacked: made.unpacked, files: made.files };
    } catch (error) {
      if (this.#closed || !(error instanceof RegistryError) || error.code !== 'CONTENT_UNREADABLE') throw error;
      return this.#refused(error.message);
    }
  }

  #refused(why: string): IndexRecord {
    return { refused: why, at: this.#surroundings.now() };
  }

  async #write(bytes: Uint8Array): Promise<string> {
    const begun = await this.#store.beginData(freshIndexDataKey(this.#surroundings));
    async function* source() {
      yield bytes;
    }
    const written = await this.#store.appendData(begun, { [Symbol.asyncIterator]: source }, { completes: () => true });
    await this.#store.completeData(written);
    return written.key;
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function patience(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), PATIENCE_MS).unref());
}
