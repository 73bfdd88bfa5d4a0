// SPDX-License-Identifier: Apache-2.0
import { lstat, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';

export interface WalkedPath {
  /** Links on the way, in the order they are followed, each with its own path inside the root. */
  links: { path: string; target: string }[];
  /** Where it ends, inside the root. */
  real: string;
}

/** The kernel's MAXSYMLINKS. */
const MAX_LINKS = 40;

/**
 * Walks an absolute path as the kernel would with `sysroot` as its root.
 *
 * @returns undefined where the path leads nowhere
 */
export async function walkPath(sysroot: string, path: string): Promise<WalkedPath | undefined> {
  const links: WalkedPath['links'] = [];
  let done = '/';
  let rest = parts(path);
  while (rest.length > 0) {
    const [next, ...behind] = rest;
    if (next === undefined) break;
    rest = behind;
    const here = posix.join(done, next);
    const info = await lstat(join(sysroot, here)).catch(() => undefined);
    if (info === undefined) return undefined;
    if (!info.isSymbolicLink()) {
      done = here;
      continue;
    }
    const target = await readlink(join(sysroot, here));
    links.push({ path: here, target });
    if (links.length > MAX_LINKS) return undefined;
    rest = [...parts(target), ...rest];
    if (target.startsWith('/')) done = '/';
  }
  return { links, real: done };
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
