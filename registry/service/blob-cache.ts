// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { ByteRange, DataReader, ObjectStore } from '../storage/contract.ts';

/** Larger ones come from the store each time: what they save is little against what they would push out. */
const LARGEST = 16 * 1024 * 1024;
/** How many keys are remembered of what was read only once. */
const ONCE = 4096;

export interface BlobCacheOptions {
  /** Bytes of all blobs in the cache together; 0: no cache. */
  limit: number;
  onRead?(result: 'hit' | 'miss'): void;
}

/**
 * Bytes of blobs that were read twice, such as the kernel layer that all images share; bounded, least recently used go
 * first. It decides nothing: whoever asks has just read the records which say that these bytes may be served, and a
 * data key never stands for other bytes.
 */
export class BlobCache {
  readonly #store: ObjectStore;
  readonly #options: BlobCacheOptions;
  readonly #largest: number;
  readonly #bytes: LRUCache<string, Buffer> | undefined;
  readonly #once = new LRUCache<string, true>({ max: ONCE });
  readonly #loading = new Set<string>();
  #loadingBytes = 0;

  constructor(store: ObjectStore, options: BlobCacheOptions) {
    this.#store = store;
    this.#options = options;
    this.#largest = Math.min(LARGEST, Math.floor(options.limit / 4));
    this.#bytes =
      this.#largest > 0
        ? new LRUCache({ maxSize: options.limit, sizeCalculation: (bytes) => Math.max(1, bytes.length) })
        : undefined;
  }

  /** @param blob its data key and size, as its record says @throws RegistryError `DATA_UNKNOWN` */
  async read(blob: { data: string; size: number }, range?: ByteRange): Promise<DataReader> {
    if (this.#bytes === undefined || blob.size > this.#largest) return this.#store.readData(blob.data, range);
    const known = this.#bytes.get(blob.data);
    this.#options.onRead?.(known === undefined ? 'miss' : 'hit');
    if (known !== undefined) return new MemoryReader(known, range);
    if (this.#once.has(blob.data)) this.#load(blob);
    else this.#once.set(blob.data, true);
    return this.#store.readData(blob.data, range);
  }

  /** Beside the answer that is under way, which has a reader of its own: a slow client holds nothing up. */
  #load({ data, size }: { data: string; size: number }): void {
    // What is being read counts as well: of many at once the others are for the next time.
    if (this.#loading.has(data) || this.#loadingBytes + size > this.#largest) return;
    this.#loading.add(data);
    this.#loadingBytes += size;
    this.#collect(data, size)
      .then((bytes) => {
        if (bytes !== undefined) this.#bytes?.set(data, bytes);
      })
      // The request itself meets the same failure, and reports it.
      .catch(() => undefined)
      .finally(() => {
        this.#loading.delete(data);
        this.#loadingBytes -= size;
      });
  }

  async #collect(data: string, size: number): Promise<Buffer | undefined> {
    const bytes = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    for await (const chunk of await this.#store.readData(data)) {
      if (filled + chunk.length > size) return undefined;
      chunk.copy(bytes, filled);
      filled += chunk.length;
    }
    return filled === size ? bytes : undefined;
  }
}

/** Bytes that are in memory, in one step. */
class MemoryReader implements DataReader {
  readonly size: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, range?: ByteRange) {
    this.#bytes = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    this.size = this.#bytes.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    if (this.size > 0) yield this.#bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
