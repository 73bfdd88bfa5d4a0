// SPDX-License-Identifier: Apache-2.0
import {
  type BigIntStats,
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  open as openWithCallback,
  readFileSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Caution } from './caution.ts';

/**
 * Steps on small files and on names. The kernel does each in memory, in 3 to 20 µs; to have another thread do it, and to be
 * told, costs more than ten times that, and a push takes some sixty of them: measured, half of its processor time. So they
 * are done at once, on this thread, as long as that is quick, and in another one where it is not (`caution.ts`). What has to
 * wait for the disk, which is an fsync and nothing else, always goes to another thread.
 */
export function createDisk(caution: Caution) {
  const either = async <T>(atOnce: () => T, elsewhere: () => Promise<T>): Promise<T> =>
    caution.advised ? elsewhere() : caution.watch(atOnce);

  return {
    rename: (from: string, to: string) =>
      either(
        () => renameSync(from, to),
        () => rename(from, to),
      ),

    link: (from: string, to: string) =>
      either(
        () => linkSync(from, to),
        () => link(from, to),
      ),

    unlink: (path: string) =>
      either(
        () => unlinkSync(path),
        () => unlink(path),
      ),

    /** With what is missing above it. */
    async makeFolder(path: string): Promise<void> {
      await either<unknown>(
        () => mkdirSync(path, { recursive: true }),
        () => mkdir(path, { recursive: true }),
      );
    },

    /** A file that is not there yet. @param durable whether its bytes survive a loss of power; its name is not synced */
    async create(path: string, bytes: Uint8Array, durable: boolean): Promise<BigIntStats> {
      const file = await either(
        () => createAtOnce(path, bytes),
        () => createElsewhere(path, bytes),
      );
      try {
        if (durable) await promisify(fdatasync)(file);
        return fstatSync(file, { bigint: true });
      } finally {
        closeSync(file);
      }
    },

    /** A whole file, and what it was when it was read. */
    read: (path: string) =>
      either(
        () => readAtOnce(path),
        () => readElsewhere(path),
      ),

    /** Makes the names in a folder durable. */
    async syncFolder(path: string): Promise<void> {
      const folder = await either(
        () => openSync(path, 'r'),
        () => openElsewhere(path, 'r'),
      );
      try {
        await promisify(fsync)(folder);
      } finally {
        closeSync(folder);
      }
    },
  };
}

/** From 5 ms on a step is slow, and for a second the next ones are left to other threads. */
export const disk = createDisk(new Caution(5, 1000));

function createAtOnce(path: string, bytes: Uint8Array): number {
  const file = openSync(path, 'wx', 0o644);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

async function createElsewhere(path: string, bytes: Uint8Array): Promise<number> {
  const file = await openElsewhere(path, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += (await promisify(write)(file, bytes, at)).bytesWritten;
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function readAtOnce(path: string): { bytes: Buffer; stats: BigIntStats } {
  const file = openSync(path, 'r');
  try {
    const stats = fstatSync(file, { bigint: true });
    return { bytes: readFileSync(file), stats };
  } finally {
    closeSync(file);
  }
}

async function readElsewhere(path: string): Promise<{ bytes: Buffer; stats: BigIntStats }> {
  const handle = await open(path, 'r');
  try {
    const stats = await handle.stat({ bigint: true });
    return { bytes: await handle.readFile(), stats };
  } finally {
    await handle.close();
  }
}

/** As a bare descriptor. */
const openElsewhere = (path: string, flags: string): Promise<number> => promisify(openWithCallback)(path, flags, 0o644);
