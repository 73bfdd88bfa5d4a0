// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, syncFolder, writeSynced } from '../../../image-format/layout/durable.ts';
import { isOwnerAlive, ownerName } from '../../../image-format/layout/process-owner.ts';

/** Begins the names of files that are not yet whole. */
const UNFINISHED = '.new-';

/** A name for a file that is not yet whole. Nobody reads it, and {@link sweepUnfinished} removes it when its writer is gone. */
export function unfinishedName(): string {
  return `${UNFINISHED}${ownerName()}-${randomBytes(6).toString('hex')}`;
}

/**
 * Replaces a file. Readers see the old text or the new one, also after a power failure.
 *
 * @throws the system's error; nothing is left then
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), unfinishedName());
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Removes what processes that were killed have left of {@link writeDurably}. What cannot be removed now stays. */
export async function sweepUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(UNFINISHED) || isOwnerAlive(name.slice(UNFINISHED.length)) !== false) continue;
    await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

/** @returns undefined for a file that is not there, or that is not JSON */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
