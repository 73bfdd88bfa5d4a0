// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, syncFolder } from '../../../image-format/layout/durable.ts';

/** Begins the names of files that are not yet whole. Nobody reads them, and the next writer removes old ones. */
export const UNFINISHED = '.new-';

/**
 * Replaces a file. Readers see the old text or the new one, also after a power failure.
 *
 * @throws the system's error; nothing is left then
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `${UNFINISHED}${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
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
    const pid = name.startsWith(UNFINISHED) ? Number.parseInt(name.slice(UNFINISHED.length), 10) : 0;
    if (pid > 0 && !isRunning(pid)) await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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
