// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';

/**
 * # The object store
 *
 * Everything the registry knows lives behind this interface and nowhere else. A driver is correct when it passes
 * `contract.suite.ts`. There are two kinds of objects, because stores have two good ways to keep them.
 *
 * **Records** are small (up to 5 MiB), never empty, read whole, and replaced whole.
 * - `get` answers the bytes of one finished `put`, never a mixture, never a part.
 * - A `put` that answered is seen by every later `get`, `list` and conditional operation of every process.
 * - A conditional `put` or `delete` is one step: of several that expect the same version, one succeeds.
 * - A token names the *content*. It may come back when the same bytes come back, so whoever must tell two writes of
 *   equal bytes apart puts something unique into them (an epoch, a random version). S3's ETag is no different.
 * - A driver whose store cannot delete conditionally replaces the object by an empty one instead, conditionally, and
 *   treats empty objects as absent in every operation; that is why no record may be empty.
 *
 * **Data** is large, written once by one writer in any number of appends (from any process), then immutable until it
 * is deleted. Until `completeData` answered, nobody can read it. It is named by a record, or by nobody.
 *
 * **Keys** are segments of `[A-Za-z0-9._!-]`, joined by `/`; no segment is empty, `.`, `..` or longer than
 * {@link MAX_SEGMENT} bytes, no key longer than {@link MAX_KEY}. No key may also be the folder of another key: a file
 * system could not hold both. The registry's layout (`service/keys.ts`) keeps to that.
 *
 * **Durability.** What answered survives a loss of power, unless the caller said `durable: false`. What did not answer
 * may be there whole or not at all.
 *
 * **Errors**, of every operation: `STORAGE_FULL`, `STORAGE_UNAVAILABLE` (worth a retry by the client), `KEY_INVALID`.
 * A condition that does not hold is an answer, not an error.
 */
export interface ObjectStore {
  get(key: string): Promise<StoredRecord | undefined>;

  /** @returns the new version's token, or undefined where `condition` did not hold */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Token | undefined>;

  /**
   * What a record says can be seen before it is durable, while whoever wrote it still waits for that. Who relies on what
   * others wrote, in an answer of his own, waits here first.
   *
   * @returns when these records, as they can be seen now, survive a loss of power, unless they were written otherwise
   */
  settle(keys: readonly string[]): Promise<void>;

  /** @returns whether something was deleted: false where nothing was there, or it was no longer that version */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;

  /** The keys of records and whole data below a folder, in byte order. Data of no bytes may be left out. */
  list(options: ListOptions): Promise<ListPage>;

  /** Starts data under a key that was never used before. */
  beginData(key: string): Promise<DataState>;

  /**
   * Appends everything that `source` gives. Of two appends from the same state at most one may be kept (the caller
   * decides by compare-and-swap on the record that holds the state); what the other one wrote never shows.
   * When `source` fails, the append fails and the state from before still holds. Two appends at once from the same state
   * may both fail; who cannot be sure that a writer has ended takes the data over first.
   *
   * @returns the state after it; its `size` is what the source gave more
   */
  appendData(state: DataState, source: ByteSource, options?: AppendOptions): Promise<DataState>;

  /**
   * Takes an upload away from a writer that may still be alive, at `state`: nothing which that writer does from now on
   * can touch what the new state stands for.
   *
   * @param freshKey a key never used before; the driver may keep the old one (see the state that it answers)
   */
  takeOverData(state: DataState, freshKey: string): Promise<DataState>;

  /** Makes the data readable under `state.key`, durably. @throws `DATA_UNKNOWN` if it was aborted, completed or lost */
  completeData(state: DataState): Promise<void>;

  /** Gives back what unfinished data takes. Never fails because there is nothing (more) to give back. */
  abortData(state: DataState): Promise<void>;

  /** Data that was begun and neither completed nor aborted, in no order: what a crash may have left. */
  unfinishedData(): AsyncIterable<UnfinishedData>;

  /** Bytes; undefined where no whole data has that key. */
  sizeOfData(key: string): Promise<number | undefined>;

  /** @param range both ends inclusive, as in HTTP; must lie inside of the data. @throws `DATA_UNKNOWN` */
  readData(key: string, range?: ByteRange): Promise<DataReader>;

  /**
   * Where a client may read the data by itself, without us and without credentials, for the next `seconds`. Drivers
   * whose store is reached through us alone do not have it.
   */
  urlOfData?(key: string, seconds: number): Promise<string>;

  /** @returns whether it was there */
  deleteData(key: string): Promise<boolean>;

  /**
   * Whether data that was written a moment ago is read as fast as memory: a disk of this machine. Then an upload that
   * lost its hash between processes is rather read once more than hashed slowly. Left out: it is not.
   */
  readonly rereadsFast?: boolean;

  /**
   * Whether reads and writes can succeed now; left out where a read of any record says as much.
   *
   * @throws RegistryError where they cannot
   */
  check?(): Promise<void>;

  /** Frees what the driver holds open. */
  close(): Promise<void>;
}

/** Names a version of a record, by its content. Only ever compared by the driver that made it. */
export type Token = string;

/** Immutable; a driver that keeps records in memory answers the same object for the same version. */
export interface StoredRecord {
  readonly bytes: Buffer;
  readonly token: Token;
}

export interface PutOptions {
  /** `absent`: only where nothing is. A token: only in place of that version. Left out: in place of anything. */
  condition?: 'absent' | { ifMatch: Token };
  /** False where a loss of power may lose this write (never tear it). Default true. */
  durable?: boolean;
}

export interface AppendOptions {
  /**
   * Asked once the source has ended: whether this process completes or aborts the data next. The state that is answered
   * then need be good for nothing else, and what the driver holds of the data for it may be in memory.
   */
  completes?(): boolean;
}

export interface DeleteOptions {
  /** Only that version. */
  ifMatch?: Token;
  /** False where the record may be there again after a loss of power. Default true. */
  durable?: boolean;
}

export interface ListOptions {
  /** A folder, with its final `/`. */
  prefix: string;
  /** Only keys behind this string; it need not be a key, nor look like one. */
  after?: string;
  /** The most keys in one answer. */
  limit: number;
}

export interface ListPage {
  keys: string[];
  /** Whether there are more behind the last one. */
  more: boolean;
}

/**
 * Bytes of data, in steps, as fast as they are taken. Iterated once, to its end or left by `break`; one that is not
 * iterated has to be disposed of. **A chunk is valid until the next one is asked for**: drivers use their buffers again.
 */
export interface DataReader extends AsyncIterable<Buffer>, AsyncDisposable {
  /** Bytes that the chunks should come to. Fewer mean that the store lost some. */
  readonly size: number;
}

export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Where unfinished data stands. Plain JSON, kept by the caller between appends; all but `key` and `size` belongs to
 * the driver (upload id, parts, the tail below the store's part size).
 */
export interface DataState {
  readonly key: string;
  /** Bytes appended so far. */
  readonly size: number;
  readonly [driver: string]: unknown;
}

/** Bytes for the store. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  /**
   * A driver that needs a chunk no more says so, so that its memory can be used again at once. Without being told, it
   * is left to the garbage collector, which for bodies of gigabytes is more work than hashing them.
   */
  release?(chunk: Uint8Array): void;
}

export interface UnfinishedData {
  /** Enough of a state for `abortData`. */
  state: DataState;
  /** When it last grew, or, where the store does not say, when it was begun; milliseconds since 1970. */
  touched: number;
}

export const MAX_SEGMENT = 255;
export const MAX_KEY = 1000;

const KEY = /^[A-Za-z0-9._!-]+(?:\/[A-Za-z0-9._!-]+)*$/;

/** @throws RegistryError `KEY_INVALID` */
export function checkKey(key: string): string {
  const legal =
    key.length <= MAX_KEY &&
    KEY.test(key) &&
    (key.length <= MAX_SEGMENT || key.split('/').every((segment) => segment.length <= MAX_SEGMENT)) &&
    !/(?:^|\/)\.{1,2}(?:\/|$)/.test(key);
  if (!legal) throw new RegistryError('KEY_INVALID', `${JSON.stringify(key.slice(0, 200))} is not a storage key`);
  return key;
}
