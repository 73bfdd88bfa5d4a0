// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { ImageError } from '../errors.ts';

/** Errors of the disk itself; whatever else fails while we write is not the store's fault. */
export function storeError(cause: unknown, doing: string): ImageError {
  if (cause instanceof ImageError) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ImageError('STORE_IO', `no space left on the disk: ${doing}`, {
      cause,
      hint: 'free some space, or choose a store on another disk (--store, UK_STORE)',
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ImageError('STORE_IO', `not allowed to write: ${doing}`, {
      cause,
      hint: 'choose a store that you may write to (--store, UK_STORE)',
    });
  }
  return new ImageError('STORE_IO', `${doing}: ${(cause as Error).message}`, { cause });
}

/** Makes the names in a folder durable: a rename is on disk only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

/** Writes a new file, which is on the disk when this returns. Its name is only when its folder is synced. */
export async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Errors of our own and abort errors stay as they are; those of the system have an `errno`. */
export function isErrno(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).errno === 'number';
}
