// SPDX-License-Identifier: Apache-2.0
// Images are made once, and named by the hash of what they are made from.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What was made otherwise than the present code makes it has another number. */
const VERSION = 1;

export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk/test-images');
}

/** @returns 16 hexadecimal digits that stand for a value of plain data */
export function keyOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, value]))
    .digest('hex')
    .slice(0, 16);
}

/** Where the cache has something, or will have it. A folder that is there is whole. */
export function cachePath(name: string, key: string): string {
  // Tools that read a reference from a path would take an @ for the start of a digest.
  return join(cacheFolder(), `${name}.${key}`);
}

/**
 * A folder of the cache, made by `make` if it is not there. It appears whole, by one rename. What older recipes of the same
 * name left is removed.
 */
export async function cached(name: string, key: string, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = cacheFolder();
  const folder = cachePath(name, key);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  for (const old of await readdir(cache)) {
    const outdated = old.startsWith(`${name}.`) && !old.startsWith(`${name}.${key}`);
    if (outdated || isLeft(old)) await rm(join(cache, old), { recursive: true, force: true });
  }
  const part = await workFolder();
  try {
    await make(part);
    await rename(part, folder);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    // Another process may have made it at the same time.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** A new folder beside what is kept, with room for copies of whole images. The caller removes it. */
export function workFolder(): Promise<string> {
  return mkdtemp(join(cacheFolder(), `work-${process.pid}-`));
}

/** Whether a process that was killed left this work folder. */
function isLeft(name: string): boolean {
  const pid = /^work-(\d+)-/.exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}
