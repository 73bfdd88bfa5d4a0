// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type {
  AppendOptions,
  ByteRange,
  DataReader,
  DataState,
  DeleteOptions,
  ListOptions,
  ListPage,
  ObjectStore,
  PutOptions,
  StoredRecord,
  Token,
  UnfinishedData,
} from '../contract.ts';
import { Bucket } from './bucket.ts';
import { Connection } from './connection.ts';
import { DataWriter } from './data.ts';
import { dataUnknown } from './data-state.ts';
import { isFailure, orUndefined, storage } from './failures.ts';
import { Layout } from './layout.ts';
import { listKeys } from './listing.ts';
import { Multipart } from './multipart.ts';
import { type ResolvedOptions, resolveOptions, type S3Options } from './options.ts';
import { mostParts } from './part-writer.ts';
import { Presigner } from './presigner.ts';
import { type Capabilities, probe } from './probe.ts';
import { ObjectReader } from './reader.ts';
import { Records } from './records.ts';

export type { S3Options } from './options.ts';
export type { Capabilities } from './probe.ts';

/**
 * The object store in an S3 bucket. Any number of processes and machines may work on one prefix; they share nothing but
 * the bucket.
 *
 * **How compare-and-swap works.** PutObject with If-None-Match or If-Match, and the entity tag as the token. Stores that
 * do not know these headers mostly ignore them, and answer as if the condition had held. So every start tries out what
 * the store really does (`probe.ts`), and refuses a store that ignores conditions: several servers would overwrite each
 * other's tags. Who promises that his server is the only one (`exclusive`) may use such a store all the same; its writers
 * are then serialised by a lock inside of this process, as on a file system. Nothing relies on a conditional CopyObject.
 *
 * **Deletion on condition** replaces a record by an empty object, which counts as absent everywhere, then removes that
 * one, on condition, where the store can do that; on others the empty object stays. DeleteObject with If-Match alone
 * would not do: of two that delete the same version it tells both that they did.
 *
 * **Lost answers.** What failed in passing is tried again. A condition that fails after an attempt with a lost answer may
 * fail because of that attempt, so the record is read, and bytes that are ours count as success (`records.ts`).
 *
 * **Data** goes to its final place at once, as one PutObject or as a multipart upload, and is neither moved nor copied;
 * but for tails below a part's size (`data.ts`), and where a dead writer's upload is taken over (`seals.ts`).
 *
 * **Bytes on the way.** Requests are signed with the SHA-256 of what they send, so that the store refuses what was
 * damaged. Records that are read are compared with their entity tag, where that is an MD5. Data that is read is not
 * checked here: it has a digest, which its reader knows.
 */
export class S3Store implements ObjectStore {
  /** Present only where clients may read from the store by themselves. */
  readonly urlOfData?: (key: string, seconds: number) => Promise<string>;
  readonly capabilities: Capabilities;
  readonly #layout: Layout;
  readonly #connection: Connection;
  readonly #bucket: Bucket;
  readonly #records: Records;
  readonly #data: DataWriter;
  readonly #presigner: Presigner | undefined;
  readonly #idleMs: number;

  private constructor(options: ResolvedOptions, connection: Connection, bucket: Bucket, capabilities: Capabilities) {
    this.capabilities = capabilities;
    this.#layout = new Layout(options.prefix);
    this.#connection = connection;
    this.#bucket = bucket;
    this.#records = new Records(bucket, this.#layout, capabilities, options.cacheBytes);
    const sizes = { least: options.partSize, most: mostParts };
    this.#data = new DataWriter(bucket, new Multipart(bucket, connection), this.#layout, sizes);
    this.#idleMs = options.timeoutMs;
    if (options.redirect) {
      const presigner = new Presigner(options);
      this.#presigner = presigner;
      this.urlOfData = (key, seconds) => presigner.url(this.#layout.object(key), seconds);
    }
  }

  /** @throws RegistryError `CONFIG_INVALID`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL` */
  static async open(given: S3Options): Promise<S3Store> {
    const options = resolveOptions(given);
    const connection = new Connection(options);
    const where = options.endpoint === undefined ? '' : ` at ${new URL(options.endpoint).host}`;
    try {
      const bucket = new Bucket(options.bucket, connection);
      const capabilities = await storage(`open the bucket ${options.bucket}${where}`, () =>
        probe(bucket, new Layout(options.prefix).newProbe()),
      );
      if (!capabilities.conditionalPut && !options.exclusive) throw ignoresConditions(options.bucket + where);
      bucket.hasMd5Tags = capabilities.md5Tags;
      bucket.quotesTags = capabilities.quotesTags;
      return new S3Store(options, connection, bucket, capabilities);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return this.#records.get(key);
  }

  async put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Token | undefined> {
    return this.#records.put(key, bytes, options);
  }

  /** What can be seen in a bucket is durable. */
  async settle(): Promise<void> {}

  async delete(key: string, options?: DeleteOptions): Promise<boolean> {
    return this.#records.delete(key, options);
  }

  async list(options: ListOptions): Promise<ListPage> {
    return listKeys(this.#bucket, this.#layout, options);
  }

  async beginData(key: string): Promise<DataState> {
    return this.#data.begin(key);
  }

  async appendData(state: DataState, source: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<DataState> {
    return this.#data.append(state, source, options);
  }

  async takeOverData(state: DataState, freshKey: string): Promise<DataState> {
    return this.#data.takeOver(state, freshKey);
  }

  async completeData(state: DataState): Promise<void> {
    return this.#data.complete(state);
  }

  async abortData(state: DataState): Promise<void> {
    return this.#data.abort(state);
  }

  unfinishedData(): AsyncIterable<UnfinishedData> {
    return this.#data.unfinished();
  }

  async sizeOfData(key: string): Promise<number | undefined> {
    const path = this.#layout.object(key);
    return storage(`look at ${key}`, async () => (await orUndefined(this.#bucket.head(path)))?.size);
  }

  async readData(key: string, range?: ByteRange): Promise<DataReader> {
    const path = this.#layout.object(key);
    return storage(`read ${key}`, async () => {
      try {
        return new ObjectReader(this.#bucket, path, await this.#bucket.open(path, range), range, this.#idleMs);
      } catch (error) {
        throw isFailure(error, 'absent') ? dataUnknown(key, 'it is not there', error) : error;
      }
    });
  }

  async deleteData(key: string): Promise<boolean> {
    const path = this.#layout.object(key);
    return storage(`delete ${key}`, async () => {
      const there = (await orUndefined(this.#bucket.head(path))) !== undefined;
      if (there) await this.#bucket.delete(path);
      return there;
    });
  }

  async close(): Promise<void> {
    this.#presigner?.close();
    this.#connection.close();
  }
}

function ignoresConditions(where: string): RegistryError {
  return new RegistryError(
    'STORAGE_UNAVAILABLE',
    `cannot open the bucket ${where}: the store ignores conditional writes, on which several servers rely to not overwrite each other`,
    { hint: 'use another store; or, if this server is the only one on the prefix, say so by `exclusive`' },
  );
}
