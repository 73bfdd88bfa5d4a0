// SPDX-License-Identifier: Apache-2.0
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RegistryError } from '../../errors.ts';
import type {
  ByteRange,
  ByteSource,
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
import { KeyedLock, type Locks } from '../keyed-lock.ts';
import { DataFiles } from './data.ts';
import { errnoOf, orUndefined, storage } from './failures.ts';
import { Folders } from './folders.ts';
import { Layout } from './layout.ts';
import { Listings } from './listing.ts';
import { Membership } from './membership.ts';
import { type Ownership, takeOwnership } from './ownership.ts';
import { Records } from './records.ts';

export interface FilesystemOptions {
  /** The storage's folder; made where it is missing. */
  root: string;
  /** Refuse a folder that holds no storage, in place of making one. Default false. */
  existing?: boolean;
  /** Bytes of records kept in memory, default 64 MiB. */
  cacheBytes?: number;
  /** Whether worker processes are going to {@link FilesystemStore.join} this one. Default false. */
  shared?: boolean;
  /** The lock among writers, also for workers that ask for it. Default: one of this store's own. */
  locks?: Locks;
}

export interface JoinOptions {
  root: string;
  cacheBytes?: number;
  /** {@link FilesystemStore.claim} of the process that owns the folder. */
  claim: number;
  /** The lock of that process. */
  locks: Locks;
}

/** What both the owner of a folder and those who work for it have. */
interface Right {
  ensure(): Promise<void>;
  release(): Promise<void>;
}

/**
 * The object store on a file system.
 *
 * **How compare-and-swap works.** A record is a file, a version is an inode: writers make a whole file in
 * `temporary/`, fsync it, and then name it. `absent` is link(2), which fails where the name exists: atomic among all
 * processes without any lock. `ifMatch` and deletion read the version under a lock by key, then rename(2) or unlink(2);
 * the fsyncs stay outside of the lock, so it is held for microseconds and only against writers of the same key. The lock
 * lives in the one server of the folder (worker processes ask their primary process for it, and a worker that dies
 * loses it with its channel). Generations by link(2) alone would need no lock, but would make every read look for the
 * newest generation first, and reads are what a registry does. A second server on the folder is refused
 * (`ownership.ts`), as its lock would be another one; a server that was taken for dead and is not writes no more.
 */
export class FilesystemStore implements ObjectStore {
  readonly rereadsFast = true;
  readonly #records: Records;
  readonly #listings: Listings;
  readonly #data: DataFiles;
  readonly #right: Right;
  readonly #layout: Layout;

  protected constructor(layout: Layout, right: Right, locks: Locks, options: { cacheBytes?: number; shared: boolean }) {
    const folders = new Folders(layout.root, options.shared);
    const rightful = withRight(locks, right);
    this.#layout = layout;
    this.#records = new Records(layout, folders, rightful, options.cacheBytes ?? 64 * 1024 * 1024);
    this.#listings = new Listings(layout);
    this.#data = new DataFiles(layout, folders, rightful);
    this.#right = right;
  }

  /** @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL` */
  static open(options: FilesystemOptions): Promise<OwnedFilesystemStore> {
    return storage(`open the storage folder ${options.root}`, async () => {
      const layout = new Layout(options.root);
      if (options.existing === true) await mustHoldStorage(layout);
      await makeDurably(layout);
      const ownership = await takeOwnership(layout);
      for (const name of await readdir(layout.temporary)) await rm(join(layout.temporary, name), { force: true });
      return new OwnedFilesystemStore(layout, ownership, options);
    });
  }

  /** In a worker process: the store that another process of the same server has open. */
  static async join({ root, claim, locks, ...options }: JoinOptions): Promise<FilesystemStore> {
    const layout = new Layout(root);
    return new FilesystemStore(layout, new Membership(layout, claim), locks, { ...options, shared: true });
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return this.#records.get(key);
  }

  async put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Token | undefined> {
    await this.#right.ensure();
    return this.#records.put(key, bytes, options);
  }

  async settle(keys: readonly string[]): Promise<void> {
    return this.#records.settle(keys);
  }

  async delete(key: string, options?: DeleteOptions): Promise<boolean> {
    await this.#right.ensure();
    return this.#records.delete(key, options);
  }

  async list(options: ListOptions): Promise<ListPage> {
    return this.#listings.list(options);
  }

  async beginData(key: string): Promise<DataState> {
    await this.#right.ensure();
    return this.#data.begin(key);
  }

  async appendData(state: DataState, source: ByteSource): Promise<DataState> {
    await this.#right.ensure();
    return this.#data.append(state, source);
  }

  async takeOverData(state: DataState, freshKey: string): Promise<DataState> {
    await this.#right.ensure();
    return this.#data.takeOver(state, freshKey);
  }

  async completeData(state: DataState): Promise<void> {
    await this.#right.ensure();
    return this.#data.complete(state);
  }

  async abortData(state: DataState): Promise<void> {
    await this.#right.ensure();
    return this.#data.abort(state);
  }

  unfinishedData(): AsyncIterable<UnfinishedData> {
    return this.#data.unfinished();
  }

  async sizeOfData(key: string): Promise<number | undefined> {
    return this.#data.size(key);
  }

  async readData(key: string, range?: ByteRange): Promise<DataReader> {
    return this.#data.read(key, range);
  }

  async deleteData(key: string): Promise<boolean> {
    await this.#right.ensure();
    return this.#data.delete(key);
  }

  async check(): Promise<void> {
    await this.#right.ensure();
    await storage(`find ${this.#layout.objects}`, () => access(`${this.#layout.objects}/.`));
  }

  async close(): Promise<void> {
    await this.#right.release();
  }
}

/** The store of the one process that owns the folder. */
class OwnedFilesystemStore extends FilesystemStore {
  readonly #ownership: Ownership;

  constructor(layout: Layout, ownership: Ownership, options: FilesystemOptions) {
    const { locks = new KeyedLock(), shared = false, cacheBytes } = options;
    super(layout, ownership, locks, { shared, ...(cacheBytes === undefined ? {} : { cacheBytes }) });
    this.#ownership = ownership;
  }

  /** What a worker needs to join. */
  get claim(): number {
    return this.#ownership.claim;
  }

  /** To be said before these processes write. */
  nameWorkers(pids: readonly number[]): Promise<void> {
    return this.#ownership.nameWorkers(pids);
  }
}

export type { OwnedFilesystemStore };

/** Whoever waits for a lock may wait for long: when the turn comes, the folder can be another server's. */
function withRight(locks: Locks, right: Right): Locks {
  const rightful =
    <T>(work: () => Promise<T>) =>
    async (): Promise<T> => {
      await right.ensure();
      return work();
    };
  return {
    hold: (key, work) => locks.hold(key, rightful(work)),
    tryHold: (key, work) => locks.tryHold(key, rightful(work)),
  };
}

async function mustHoldStorage({ root, objects }: Layout): Promise<void> {
  if ((await orUndefined(stat(objects))) !== undefined) return;
  throw new RegistryError('STORAGE_UNAVAILABLE', `there is no registry in ${root}`, {
    hint: 'name the folder that its server was given',
  });
}

/** Makes the folders that outlive a start, so that what is acknowledged below them survives a loss of power as well. */
async function makeDurably(layout: Layout): Promise<void> {
  const { root } = layout;
  const first = await mkdir(root, { recursive: true });
  const folders = new Folders(root, false);
  // Perhaps an earlier start made them and came no further.
  const tops = [dirname(root)];
  if (first !== undefined) {
    for (let made = tops[0] as string; made.length >= first.length; made = dirname(made)) tops.push(dirname(made));
  }
  for (const top of tops) await syncWhereAllowed(folders, top);
  await folders.make(layout.partial, true);
  await folders.make(layout.objects, true);
}

/** Only who may read a folder can sync it; what lies above the storage can be somebody else's to make. */
async function syncWhereAllowed(folders: Folders, folder: string): Promise<void> {
  try {
    await folders.sync(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
  }
}
