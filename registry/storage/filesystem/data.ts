// SPDX-License-Identifier: Apache-2.0
import { close, constants, fstat, open as openWithCallback } from 'node:fs';
import { copyFile, type FileHandle, open, readdir, stat, truncate } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { RegistryError } from '../../errors.ts';
import type { ByteRange, ByteSource, DataReader, DataState, UnfinishedData } from '../contract.ts';
import type { Locks } from '../keyed-lock.ts';
import { disk } from './disk.ts';
import { errnoOf, orUndefined, storage } from './failures.ts';
import { FileReader } from './file-reader.ts';
import { writeAll } from './file-writer.ts';
import type { Folders } from './folders.ts';
import type { Layout } from './layout.ts';
import { Looks } from './look.ts';

const NOTHING = new Uint8Array();
const WHOLE_TREE = { recursive: true, withFileTypes: true } as const;

/** The data of the filesystem driver: a file in `partial/` that grows, then moves to `objects/`. */
export class DataFiles {
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #locks: Locks;
  readonly #looks = new Looks();

  constructor(layout: Layout, folders: Folders, locks: Locks) {
    this.#layout = layout;
    this.#folders = folders;
    this.#locks = locks;
  }

  begin(key: string): Promise<DataState> {
    const path = this.#layout.partialPath(key);
    return storage(`begin ${key}`, async () => {
      // Not durable: an upload that a loss of power interrupts starts again.
      await this.#folders.within(dirname(path), false, () => disk.create(path, NOTHING, false));
      return { key, size: 0 };
    });
  }

  append(state: DataState, source: ByteSource): Promise<DataState> {
    const path = this.#layout.partialPath(state.key);
    return storage(`append to ${state.key}`, async () => {
      const held = await this.#locks.tryHold(path, async () => {
        const handle = await this.#openPartial(path, state);
        try {
          return { ...state, size: await writeAll(handle, state.size, source) };
        } finally {
          await handle.close();
        }
      });
      if (held === undefined) throw gone(state.key, 'another request writes it');
      return held.value;
    });
  }

  takeOver(state: DataState, freshKey: string): Promise<DataState> {
    const from = this.#layout.partialPath(state.key);
    const to = this.#layout.partialPath(freshKey);
    return storage(`take over ${state.key}`, async () => {
      const move = async () => {
        await this.#mustExist(state.key, () => this.#folders.within(dirname(to), false, () => disk.rename(from, to)));
      };
      if ((await this.#locks.tryHold(from, move)) === undefined) {
        // Its writer is at work: leave it that file, take a copy of what counts.
        await this.#mustExist(state.key, () => copyFile(from, to, constants.COPYFILE_FICLONE));
        await truncate(to, state.size);
        await orUndefined(disk.unlink(from));
      }
      return { ...state, key: freshKey };
    });
  }

  complete(state: DataState): Promise<void> {
    const from = this.#layout.partialPath(state.key);
    const to = this.#layout.objectPath(state.key);
    return storage(`complete ${state.key}`, async () => {
      const held = await this.#locks.tryHold(from, async () => {
        await Promise.all([this.#syncPartial(from, state), this.#folders.make(dirname(to), true)]);
        await this.#folders.within(dirname(to), true, () => disk.rename(from, to));
      });
      if (held === undefined) throw gone(state.key, 'another request writes it');
      await this.#folders.sync(dirname(to));
    });
  }

  abort(state: DataState): Promise<void> {
    return storage(`abort ${state.key}`, async () => {
      await orUndefined(disk.unlink(this.#layout.partialPath(state.key)));
    });
  }

  async *unfinished(): AsyncGenerator<UnfinishedData> {
    const found = await storage('list unfinished data', () => orUndefined(readdir(this.#layout.partial, WHOLE_TREE)));
    for (const entry of found ?? []) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const stats = await storage(`look at ${path}`, () => orUndefined(stat(path)));
      if (stats === undefined) continue;
      yield { state: { key: relative(this.#layout.partial, path), size: stats.size }, touched: stats.mtimeMs };
    }
  }

  size(key: string): Promise<number | undefined> {
    return storage(`look at ${key}`, async () => {
      const stats = await this.#looks.at(this.#layout.objectPath(key));
      return stats === undefined ? undefined : Number(stats.size);
    });
  }

  read(key: string, range?: ByteRange): Promise<DataReader> {
    const path = this.#layout.objectPath(key);
    return storage(`read ${key}`, async () => {
      const file = await orUndefined(openFile(path));
      if (file === undefined) throw gone(key, 'it is not there');
      return new FileReader(file, range ?? { start: 0, end: (await sizeOfFile(file)) - 1 }, key);
    });
  }

  delete(key: string): Promise<boolean> {
    const path = this.#layout.objectPath(key);
    return storage(`delete ${key}`, async () => {
      const deleted = (await orUndefined(disk.unlink(path).then(() => true))) ?? false;
      if (deleted) await this.#folders.sync(dirname(path));
      return deleted;
    });
  }

  async #syncPartial(path: string, state: DataState): Promise<void> {
    const handle = await this.#openPartial(path, state);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #openPartial(path: string, state: DataState): Promise<FileHandle> {
    const handle = await orUndefined(open(path, 'r+'));
    if (handle === undefined) throw gone(state.key, 'it was finished, given up, or taken over');
    try {
      const { size } = await handle.stat();
      if (size < state.size) throw gone(state.key, `only ${size} of its ${state.size} bytes are left`);
      // More is what an append left that failed.
      if (size > state.size) await handle.truncate(state.size);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #mustExist<T>(key: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw gone(key, 'it was finished, given up, or taken over');
      throw error;
    }
  }
}

const openFile = (path: string): Promise<number> => promisify(openWithCallback)(path, 'r');

async function sizeOfFile(file: number): Promise<number> {
  try {
    return (await promisify(fstat)(file)).size;
  } catch (error) {
    close(file, () => undefined);
    throw error;
  }
}

function gone(key: string, why: string): RegistryError {
  return new RegistryError('DATA_UNKNOWN', `no data ${key}: ${why}`);
}
