// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a step that may find nothing. */
export async function orUndefined<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Turns what the operating system says into the contract's errors; errors that already are ours pass. */
export async function storage<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw storageError(what, error);
  }
}

export function storageError(what: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (error instanceof RegistryError || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new RegistryError('STORAGE_FULL', `cannot ${what}: no space is left on the storage's disk (${errno})`, {
      cause: error,
      hint: 'free some space; nothing has to be restarted',
    });
  }
  const reason = error instanceof Error ? error.message : errno;
  return new RegistryError('STORAGE_UNAVAILABLE', `cannot ${what}: ${reason}`, {
    cause: error,
    hint: 'look at the disk, and at the rights of the storage folder',
  });
}
