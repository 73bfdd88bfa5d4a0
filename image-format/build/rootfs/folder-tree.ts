// SPDX-License-Identifier: Apache-2.0
import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { ImageError } from '../../errors.ts';
import type { LayerEntry } from '../../layers/index.ts';
import { comparePaths, FileNames } from '../../layers/index.ts';
import { type HostEntry, hostTree } from '../places/host-entry.ts';
import { readXattrs } from '../places/host-xattrs.ts';

/**
 * All that is in a folder of this machine, as the root of an image. Sockets are left out: they mean nothing without the
 * program that made them. What is mounted in the folder is left out, too.
 *
 * @param warn is told of what is mounted
 * @throws ImageError `SOURCE_INVALID`
 */
export async function folderTree(folder: string, warn: (text: string) => void = () => {}): Promise<LayerEntry[]> {
  const root = await realpath(folder);
  const { dev } = await stat(root);
  const wanted = (host: string, stats: Stats) => {
    if (stats.isSocket()) return 'nothing';
    if (stats.dev === dev) return 'all';
    warn(`${host} is another file system, and what is in it is left out`);
    return 'alone';
  };
  const found: HostEntry[] = [];
  for await (const entry of hostTree(root, '', wanted)) found.push(entry);
  // Of several names of a file the first is the file. Sorted, they are the same ones each time.
  found.sort((a, b) => comparePaths(a.entry.path, b.entry.path));
  const attributes = await readXattrs(root);
  const names = new FileNames();
  const first = new Map<string, string>();
  for (const { host, stats, entry } of found) {
    const inode = `${stats.dev}:${stats.ino}`;
    const linkname = stats.nlink > 1 && !stats.isDirectory() ? first.get(inode) : undefined;
    const xattrs = attributes.get(host);
    if (linkname === undefined) first.set(inode, entry.path);
    const whole = owned(xattrs === undefined ? entry : { ...entry, xattrs });
    names.add(linkname === undefined ? whole : { ...whole, type: 'hardlink', linkname });
  }
  return names.entries();
}

/** Only root can have made a tree with the owners that an image is to have; what others made is root's. */
function owned(entry: LayerEntry): LayerEntry {
  return process.getuid?.() === 0 ? entry : { ...entry, uid: 0, gid: 0 };
}

/** @throws ImageError `SOURCE_INVALID` where it is neither a folder nor a file, or not there */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause) => {
    const missing = ['ENOENT', 'ENOTDIR'].includes(String((cause as NodeJS.ErrnoException).code));
    const what = missing ? 'no such file or folder' : `cannot read (${(cause as Error).message})`;
    throw new ImageError('SOURCE_INVALID', `${what}: ${path}`, { cause });
  });
  if (found.isDirectory() || found.isFile()) return found.isDirectory();
  throw new ImageError('SOURCE_INVALID', `neither a folder nor a tar archive: ${path}`);
}
