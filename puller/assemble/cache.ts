// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnerAlive, ownerName } from '../../image-format/layout/process-owner.ts';
import { PullerError } from '../errors.ts';

/** Part of every path: files that another version of this code wrote are not even looked at. */
export const ASSEMBLER_VERSION = 3;

/**
 * `kernel`: a kernel's files. `layer`: a layer as a cpio archive. `tar`: a layer as a plain tar archive with an index.
 * `tree`: what the lowest layers of a stack give together. `root`: the disk of a stack of layers. `image`: what an image
 * needs beside those.
 */
export type EntryKind = 'kernel' | 'layer' | 'tar' | 'tree' | 'root' | 'image';

interface Stamp {
  size: number;
  /** Nanoseconds, as text. */
  mtime: string;
}

/** What stands beside the files of an entry. */
interface Record<T> {
  files: { [name: string]: Stamp };
  data: T;
}

const RECORD = 'entry.json';

/**
 * Files that are made from blobs and can be made again. An entry is a folder that appears whole, by one rename. Each
 * file's size and time stand in the entry's record: an entry with a file that was cut, rewritten or lost is none, and
 * is made again. Nothing is locked: who makes what is there already throws his own away.
 */
export class AssemblyCache {
  readonly #root: string;

  /** @param folder of the cache; this one keeps below it */
  constructor(folder: string) {
    this.#root = join(folder, 'assembly', `v${ASSEMBLER_VERSION}`);
  }

  file(kind: EntryKind, key: string, name: string): string {
    return join(this.#entry(kind, key), name);
  }

  /** The target of a symbolic link in an entry to a file of another one: the cache may be moved as a whole. */
  link(kind: EntryKind, key: string, name: string): string {
    return join('..', '..', kind, entryName(key), name);
  }

  /** The entry's data, where it is there and its files are as they were written. It counts as used then. */
  async find<T>(kind: EntryKind, key: string): Promise<T | undefined> {
    const folder = this.#entry(kind, key);
    try {
      const { files, data } = JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as Record<T>;
      for (const [name, { size, mtime }] of Object.entries(files)) {
        const found = await stat(join(folder, name), { bigint: true });
        if (found.size !== BigInt(size) || String(found.mtimeNs) !== mtime) return undefined;
      }
      await touch(folder);
      return data;
    } catch {
      return undefined;
    }
  }

  /**
   * Makes an entry.
   *
   * @param make writes the files into the folder that it is given, and returns the entry's data
   * @throws PullerError `STORE_IO`, and what `make` throws
   */
  async make<T>(kind: EntryKind, key: string, make: (folder: string) => Promise<T>): Promise<T> {
    const temporary = join(this.#root, 'tmp', `${ownerName()}-${randomBytes(6).toString('hex')}`);
    const final = this.#entry(kind, key);
    try {
      await mkdir(temporary, { recursive: true });
      await mkdir(join(final, '..'), { recursive: true });
      const data = await make(temporary);
      await this.#record(temporary, data);
      await this.#publish(temporary, final, async () => (await this.find(kind, key)) !== undefined);
      return data;
    } catch (error) {
      throw asStoreError(error, final);
    } finally {
      // What cannot be removed now is swept later.
      await rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** The keys of all entries of that kind, damaged ones too. */
  async keys(kind: EntryKind): Promise<string[]> {
    return listed(join(this.#root, kind));
  }

  /**
   * Removes an entry, unless it was made or used within the last hour.
   *
   * @returns whether it is gone
   */
  async removeUnused(kind: EntryKind, key: string, now = Date.now()): Promise<boolean> {
    const folder = this.#entry(kind, key);
    if (!(await isOld(folder, now))) return false;
    await rm(folder, { recursive: true, force: true });
    return true;
  }

  /**
   * Removes what processes left that ended in the middle. What a process in another container has begun that shares the
   * cache stays while it is young.
   */
  async sweep(): Promise<void> {
    const folder = join(this.#root, 'tmp');
    for (const name of await listed(folder)) {
      const path = join(folder, name);
      const alive = isOwnerAlive(name);
      if (alive === false || (alive === undefined && (await isOld(path))))
        await rm(path, { recursive: true, force: true });
    }
  }

  #entry(kind: EntryKind, key: string): string {
    return join(this.#root, kind, entryName(key));
  }

  async #record<T>(folder: string, data: T): Promise<void> {
    const files: { [name: string]: Stamp } = {};
    const stamp = async ({ name, isLink }: { name: string; isLink: boolean }): Promise<void> => {
      // What a link leads to is another entry's, which has seen to it.
      if (!isLink) await synced(join(folder, name));
      const { size, mtimeNs } = await stat(join(folder, name), { bigint: true });
      files[name] = { size: Number(size), mtime: String(mtimeNs) };
    };
    // At once: the disk takes them together.
    const listing = await readdir(folder, { withFileTypes: true });
    await Promise.all(listing.map((entry) => stamp({ name: entry.name, isLink: entry.isSymbolicLink() })));
    await writeFile(join(folder, RECORD), JSON.stringify({ files, data }), { flag: 'wx' });
    await Promise.all([join(folder, RECORD), folder].map((path) => synced(path)));
  }

  /** Somebody else's entry that is as good stays; a damaged one makes room. */
  async #publish(temporary: string, final: string, isWhole: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await rename(temporary, final);
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if ((code !== 'ENOTEMPTY' && code !== 'EEXIST') || attempt === 3) throw error;
        if (await isWhole()) return;
        await rm(final, { recursive: true, force: true });
      }
    }
    // The name itself is not waited for: an entry that a loss of power takes away again is made again.
  }
}

function entryName(key: string): string {
  return key.replace(':', '-');
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

const OLD_MS = 3600_000;

/** A folder's time is when it was last used. In a cache that only others may write to, they see to it. */
async function touch(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

async function isOld(path: string, now = Date.now()): Promise<boolean> {
  try {
    return now - (await stat(path)).mtimeMs > OLD_MS;
  } catch {
    return false;
  }
}

function asStoreError(error: unknown, path: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PullerError('STORE_IO', `no space left on the disk to assemble the image: ${path}`, {
      cause: error,
      hint: 'free some space, or choose a cache on another disk (XDG_CACHE_HOME)',
    });
  }
  return new PullerError('STORE_IO', `cannot assemble the image: ${message}`, {
    cause: error,
    hint: 'choose a cache that you may write to (XDG_CACHE_HOME)',
  });
}
