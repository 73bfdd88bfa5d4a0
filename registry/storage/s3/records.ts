// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type { DeleteOptions, PutOptions, StoredRecord, Token } from '../contract.ts';
import { KeyedLock } from '../keyed-lock.ts';
import type { Bucket, Condition } from './bucket.ts';
import { isFailure, orUndefined, S3Failure, storage } from './failures.ts';
import type { Layout } from './layout.ts';
import type { Capabilities } from './probe.ts';
import { RecordCache } from './record-cache.ts';

/** How often a record may change under a put which only wants nothing to be there. */
const ROUNDS = 10;

/** The records of the S3 driver: one object each, named by its entity tag. An empty object is no record. */
export class Records {
  readonly #bucket: Bucket;
  readonly #layout: Layout;
  readonly #capabilities: Capabilities;
  readonly #cache: RecordCache;
  /** Serialises writers where the store does not. */
  readonly #locks = new KeyedLock();

  constructor(bucket: Bucket, layout: Layout, capabilities: Capabilities, cacheBytes: number) {
    this.#bucket = bucket;
    this.#layout = layout;
    this.#capabilities = capabilities;
    this.#cache = new RecordCache(cacheBytes);
  }

  get(key: string): Promise<StoredRecord | undefined> {
    const path = this.#layout.object(key);
    return storage(`read ${key}`, () => this.#read(path));
  }

  put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<Token | undefined> {
    if (bytes.length === 0) throw new RegistryError('KEY_INVALID', `a record cannot be empty: ${key}`);
    const path = this.#layout.object(key);
    return storage(`write ${key}`, async () => {
      const token = await this.#write(path, bytes, options.condition);
      if (token !== undefined) this.#cache.keep(path, { bytes: Buffer.from(bytes), token });
      return token;
    });
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const path = this.#layout.object(key);
    return storage(`delete ${key}`, async () => {
      const deleted = await this.#delete(path, options.ifMatch);
      if (deleted) this.#cache.forget(path);
      return deleted;
    });
  }

  async #read(path: string): Promise<StoredRecord | undefined> {
    const known = this.#cache.find(path);
    try {
      const found = await this.#bucket.get(path, known?.token);
      if (found === undefined) return known;
      if (found.bytes.length > 0) return this.#cache.keep(path, { bytes: found.bytes, token: found.etag });
    } catch (error) {
      if (!isFailure(error, 'absent')) throw error;
    }
    this.#cache.forget(path);
    return undefined;
  }

  #write(path: string, bytes: Uint8Array, condition: PutOptions['condition']): Promise<Token | undefined> {
    if (this.#capabilities.conditionalPut) {
      if (condition === undefined) return this.#bucket.put(path, bytes);
      return condition === 'absent' ? this.#create(path, bytes) : this.#replace(path, bytes, condition);
    }
    return this.#locks.hold(path, async () => {
      if (condition !== undefined) {
        const now = await this.#tokenOf(path);
        if (now !== (condition === 'absent' ? undefined : condition.ifMatch)) return undefined;
      }
      return this.#bucket.put(path, bytes);
    });
  }

  async #create(path: string, bytes: Uint8Array): Promise<Token | undefined> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = await this.#replace(path, bytes, 'absent');
      if (token !== undefined) return token;
      const now = await orUndefined(this.#bucket.head(path));
      // Deleted since; or the empty object that a deletion left.
      if (now === undefined) continue;
      if (now.size > 0) return undefined;
      const revived = await this.#replace(path, bytes, { ifMatch: now.etag });
      if (revived !== undefined) return revived;
    }
    throw new S3Failure('passing', 'Contended', 'others write and delete it all the time');
  }

  /** One conditional put; where an answer was lost on the way, looks at what came of it. */
  async #replace(path: string, bytes: Uint8Array, condition: Condition): Promise<Token | undefined> {
    try {
      return await this.#bucket.put(path, bytes, condition);
    } catch (error) {
      if (!isFailure(error, 'condition', 'absent')) throw error;
      if (!error.uncertain) return undefined;
      const now = await orUndefined(this.#bucket.get(path));
      if (now?.bytes.equals(bytes)) return now.etag;
      // Ours may have been there and been replaced since: neither "it was written" nor "it was not" would be true.
      throw new S3Failure(
        'passing',
        'Uncertain',
        'the answer was lost, and others wrote since; what came of it is not known',
      );
    }
  }

  /**
   * A conditional DeleteObject would answer two that delete the same version that both did: it succeeds where nothing
   * is. So the record is replaced by an empty object, which one of them achieves, and that one is removed where it can
   * be without taking a record with it that came in its place.
   */
  async #delete(path: string, ifMatch: Token | undefined): Promise<boolean> {
    if (!this.#capabilities.conditionalPut) {
      return this.#locks.hold(path, async () => {
        const now = await this.#tokenOf(path);
        if (now === undefined || (ifMatch !== undefined && now !== ifMatch)) return false;
        await this.#bucket.delete(path);
        return true;
      });
    }
    if (ifMatch === undefined) {
      const now = await orUndefined(this.#bucket.head(path));
      await (now === undefined ? undefined : this.#bucket.delete(path));
      return now !== undefined && now.size > 0;
    }
    const empty = await this.#replace(path, Buffer.alloc(0), { ifMatch });
    if (empty === undefined) return false;
    if (this.#capabilities.conditionalDelete) {
      // What is left is as good as nothing.
      await this.#bucket.delete(path, empty).catch(() => undefined);
    }
    return true;
  }

  async #tokenOf(path: string): Promise<Token | undefined> {
    const now = await orUndefined(this.#bucket.head(path));
    return now === undefined || now.size === 0 ? undefined : now.etag;
  }
}
