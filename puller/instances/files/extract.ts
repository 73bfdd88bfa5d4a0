// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  symlink,
  unlink,
} from 'node:fs/promises';
import { ImageError } from '../../../image-format/errors.ts';
import { type LayerFile, readLayer } from '../../../image-format/layers/index.ts';
import { PullerError } from '../../errors.ts';

/** A guest that sends more is not believed. */
const BYTES_MAX = 64 * 1024 ** 3;
const ENTRIES_MAX = 2_000_000;

export interface ExtractOptions {
  /** Where an entry goes, from the folder. Default: its own path. */
  place?: ((path: string) => string) | undefined;
  /** Whether files keep their owners; otherwise they are whoever's this process is. */
  owners?: boolean | undefined;
  /** Told of what is left out. */
  skipped?: ((path: string, why: string) => void) | undefined;
}

/**
 * Unpacks an archive that a guest sends. The guest may be hostile: nothing is ever written outside of `folder`. Paths that
 * lead out of it, or through a link, end the copy; so does an attempt to put something else in the place of a folder.
 * Set-user-id bits are not kept, devices and pipes are left out.
 *
 * @param folder an existing folder of this machine; links on the way to it are followed
 * @returns how many entries were written
 * @throws PullerError `COPY_FAILED`; the system's errors
 */
export async function extractArchive(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  options: ExtractOptions = {},
): Promise<number> {
  const extraction = new Extraction(folder, options);
  let count = 0;
  try {
    for await (const file of readLayer(archive, { compression: 'none', limit: BYTES_MAX, origin: 'foreign' })) {
      if (count >= ENTRIES_MAX) throw refused(`it has more than ${ENTRIES_MAX} entries`);
      await extraction.write(file);
      count++;
    }
  } catch (error) {
    throw error instanceof ImageError ? refused(error.message) : error;
  }
  await extraction.finish();
  return count;
}

/** Names are bytes: a string holds one character for each (see `ReadLayerOptions`). */
function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

class Extraction {
  readonly #folder: string;
  readonly #options: ExtractOptions;
  /** Folders that were seen to be folders. Nothing here ever replaces one. */
  readonly #folders = new Set<string>(['']);
  /** Files that were written, which further names may lead to. */
  readonly #files = new Set<string>();
  /** Modes and times of folders, which are set when nothing more goes into them. */
  readonly #later: LayerFile[] = [];

  constructor(folder: string, options: ExtractOptions) {
    this.#folder = Buffer.from(folder).toString('latin1');
    this.#options = options;
  }

  async write(file: LayerFile): Promise<void> {
    const path = this.#place(file.path);
    const placed = { ...file, path };
    await this.#enterParents(path);
    switch (file.type) {
      case 'directory':
        await this.#makeFolder(path);
        if (path !== '') this.#later.push(placed);
        return;
      case 'file':
        await this.#makeFile(placed, file.content);
        return;
      case 'symlink':
        await this.#clear(path);
        await symlink(bytesOf(file.linkname ?? ''), this.#path(path));
        await this.#setAbout(placed);
        return;
      case 'hardlink':
        await this.#makeHardLink(path, this.#place(file.linkname ?? ''));
        return;
      default:
        this.#options.skipped?.(shown(path), file.type === 'fifo' ? 'a pipe' : 'a device');
    }
  }

  async finish(): Promise<void> {
    for (const folder of this.#later.reverse()) await this.#setAbout(folder);
  }

  #place(path: string): string {
    const placed = this.#options.place?.(path) ?? path;
    const parts = placed.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw refused(`it has a path that leads out: ${shown(path)}`);
    return parts.join('/');
  }

  #path(path: string): Buffer {
    return bytesOf(path === '' ? this.#folder : `${this.#folder}/${path}`);
  }

  async #enterParents(path: string): Promise<void> {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) await this.#makeFolder(parts.slice(0, depth).join('/'));
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    const about = await lstat(this.#path(path)).catch(missing);
    if (about === undefined) await mkdir(this.#path(path), 0o700);
    else if (!about.isDirectory()) throw refused(`it puts files through ${shown(path)}, which is no folder here`);
    this.#folders.add(path);
  }

  /** Makes room for something that is no folder. */
  async #clear(path: string): Promise<void> {
    const about = await lstat(this.#path(path)).catch(missing);
    if (about === undefined) return;
    if (path === '' || about.isDirectory()) throw refused(`it replaces the folder ${shown(path)} by something else`);
    this.#files.delete(path);
    await unlink(this.#path(path));
  }

  async #makeFile(file: LayerFile, content: AsyncIterable<Buffer>): Promise<void> {
    await this.#clear(file.path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(this.#path(file.path), flags, 0o600);
    try {
      for await (const piece of content) await writeAll(handle, piece);
    } finally {
      await handle.close();
    }
    this.#files.add(file.path);
    await this.#setAbout(file);
  }

  async #makeHardLink(path: string, target: string): Promise<void> {
    if (!this.#files.has(target)) {
      throw refused(`${shown(path)} is a further name of ${shown(target)}, which did not come before it`);
    }
    await this.#clear(path);
    await link(this.#path(target), this.#path(path));
    this.#files.add(path);
  }

  async #setAbout({ path, type, mode, uid, gid, mtime }: LayerFile): Promise<void> {
    const at = this.#path(path);
    if (this.#options.owners) await (type === 'symlink' ? lchown : chown)(at, uid, gid);
    // Nothing of a guest's gets the rights of another user here.
    if (type !== 'symlink') await chmod(at, mode & 0o777);
    await lutimes(at, mtime, mtime);
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

function shown(path: string): string {
  return JSON.stringify(bytesOf(path).toString('utf8').slice(0, 200));
}

function refused(why: string): PullerError {
  return new PullerError('COPY_FAILED', `what the guest sends is not written here: ${why}`);
}
