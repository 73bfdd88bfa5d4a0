// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { dirname } from 'node:path';
import { LRUCache } from 'lru-cache';
import { RegistryError } from '../../errors.ts';
import type { DeleteOptions, PutOptions, StoredRecord, Token } from '../contract.ts';
import type { Locks } from '../keyed-lock.ts';
import { disk } from './disk.ts';
import { errnoOf, orUndefined, storage } from './failures.ts';
import type { Folders } from './folders.ts';
import type { Layout } from './layout.ts';
import { Looks } from './look.ts';
import { RecordCache } from './record-cache.ts';

/** No fsync takes this long on a disk that still works. */
const SETTLED_MS = 60_000;

class FileRecord implements StoredRecord {
  readonly bytes: Buffer;
  #token: Token | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Only writers need it. */
  get token(): Token {
    this.#token ??= tokenOf(this.bytes);
    return this.#token;
  }
}

function tokenOf(bytes: Uint8Array): Token {
  return hash('sha256', bytes, 'base64url');
}

/** The records of the filesystem driver: one file each, every version a new inode. */
export class Records {
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #locks: Locks;
  readonly #cache: RecordCache;
  readonly #looks = new Looks();
  /** Inodes of records that this process made durable. */
  readonly #durable = new LRUCache<string, bigint>({ max: 4096 });

  constructor(layout: Layout, folders: Folders, locks: Locks, cacheBytes: number) {
    this.#layout = layout;
    this.#folders = folders;
    this.#locks = locks;
    this.#cache = new RecordCache(cacheBytes);
  }

  get(key: string): Promise<StoredRecord | undefined> {
    const path = this.#layout.objectPath(key);
    return storage(`read ${key}`, () => orUndefined(this.#read(path)));
  }

  put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<Token | undefined> {
    if (bytes.length === 0) throw new RegistryError('KEY_INVALID', `a record cannot be empty: ${key}`);
    const path = this.#layout.objectPath(key);
    return storage(`write ${key}`, async () => {
      const { condition, durable = true } = options;
      if (condition === 'absent' && (await this.#looks.at(path)) !== undefined) {
        await this.#folders.settled(dirname(path));
        return undefined;
      }
      const written = await this.#write(path, bytes, condition, durable);
      return written ? tokenOf(bytes) : undefined;
    });
  }

  /** A name is durable with its folder; one that has stood there for longer than any fsync takes is. */
  settle(keys: readonly string[]): Promise<void> {
    return storage(`settle ${keys[0]}`, async () => {
      const young = await Promise.all(keys.map((key) => this.#isYoung(this.#layout.objectPath(key))));
      const folders = new Set(keys.filter((_, at) => young[at]).map((key) => dirname(this.#layout.objectPath(key))));
      await Promise.all([...folders].map((folder) => this.#folders.settled(folder)));
    });
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const path = this.#layout.objectPath(key);
    return storage(`delete ${key}`, async () => {
      const deleted = await this.#locks.hold(path, async () => {
        if (options.ifMatch !== undefined && !(await holds(path, options.ifMatch))) return false;
        return (await orUndefined(disk.unlink(path).then(() => true))) ?? false;
      });
      if (deleted && options.durable !== false) await this.#folders.sync(dirname(path));
      return deleted;
    });
  }

  async #isYoung(path: string): Promise<boolean> {
    const stats = await this.#looks.at(path);
    if (stats === undefined || Date.now() - Number(stats.ctimeMs) > SETTLED_MS) return false;
    // What this process made durable itself is no question.
    return this.#durable.get(path) !== stats.ino;
  }

  async #write(path: string, bytes: Uint8Array, condition: PutOptions['condition'], durable: boolean) {
    const folder = dirname(path);
    const temporary = this.#layout.temporaryPath();
    let left = true;
    try {
      // Side by side: a loss of power costs at most an empty folder.
      const [{ ino }] = await Promise.all([
        this.#folders.within(this.#layout.temporary, false, () => disk.create(temporary, bytes, durable)),
        durable ? this.#folders.make(folder, true) : undefined,
      ]);
      if (condition === 'absent') {
        try {
          await this.#folders.within(folder, durable, () => disk.link(temporary, path));
        } catch (error) {
          if (errnoOf(error) !== 'EEXIST') throw error;
          await this.#folders.settled(folder);
          return false;
        }
      } else {
        const replaced = await this.#locks.hold(path, async () => {
          if (condition !== undefined && !(await holds(path, condition.ifMatch))) return false;
          await this.#folders.within(folder, durable, () => disk.rename(temporary, path));
          return true;
        });
        if (!replaced) return false;
        left = false;
      }
      if (durable) {
        await this.#folders.sync(folder);
        this.#durable.set(path, ino);
      }
      return true;
    } finally {
      // What stays behind all the same (the disk broke) goes at the next start.
      if (left) await disk.unlink(temporary).catch(() => undefined);
    }
  }

  async #read(path: string): Promise<StoredRecord | undefined> {
    const stats = await this.#looks.at(path);
    if (stats === undefined) return undefined;
    const known = this.#cache.find(path, stats);
    if (known !== undefined) return known;
    const { bytes, stats: read } = await disk.read(path);
    const record = new FileRecord(bytes);
    this.#cache.keep(path, read, record);
    return record;
  }
}

async function holds(path: string, token: Token): Promise<boolean> {
  const found = await orUndefined(disk.read(path));
  return found !== undefined && tokenOf(found.bytes) === token;
}
