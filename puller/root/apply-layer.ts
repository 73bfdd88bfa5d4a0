// SPDX-License-Identifier: Apache-2.0
import type { IndexEntry } from './layer-index.ts';
import { NAME_MAX, nameTooLong, placeOf, unusable } from './resolve.ts';
import type { Directory, Inode } from './tree.ts';

const WHITEOUT = '.wh.';
/** All names of the folder that lower layers have made are gone. */
const OPAQUE = '.wh..wh..opq';
/** Other names that begin so belong to AUFS itself; no engine puts them into a root. */
const AUFS = '.wh..wh.';

/** Linux: include/uapi/linux/limits.h; a symlink's target may have PATH_MAX - 1 bytes. */
const PATH_MAX = 4096;

/**
 * Puts one layer over those below it (image-spec layer.md, "Applying Changesets"). Whiteouts act on lower layers only,
 * so they come first, wherever they stand in the archive.
 *
 * @param layer its number, from 0
 * @throws PullerError `IMAGE_UNSUPPORTED`, naming the path
 */
export function applyLayer(root: Directory, entries: readonly IndexEntry[], layer: number): void {
  const present: IndexEntry[] = [];
  for (const entry of entries) {
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    if (name.startsWith(WHITEOUT)) whiteOut(root, entry.path, name);
    else present.push(entry);
  }
  for (const entry of present) addEntry(root, entry, layer);
}

function whiteOut(root: Directory, path: string, name: string): void {
  if (name === OPAQUE) {
    placeOf(root, path, false)?.folder.children.clear();
    return;
  }
  if (name.startsWith(AUFS)) return;
  const removed = name.slice(WHITEOUT.length);
  if (removed === '' || removed === '.' || removed === '..') throw unusable(path, 'this whiteout names no file');
  placeOf(root, path, false)?.folder.children.delete(removed);
}

function addEntry(root: Directory, entry: IndexEntry, layer: number): void {
  checkLengths(entry);
  if (entry.path === '') {
    Object.assign(root, attributes(entry));
    return;
  }
  const place = placeOf(root, entry.path, true);
  if (place === undefined) return;
  const { folder, name } = place;
  const there = folder.children.get(name);
  if (entry.type === 'directory' && there?.type === 'directory') {
    // One folder object has one place, so its attributes can be changed in place.
    Object.assign(there, attributes(entry));
    return;
  }
  const made = inode(root, entry, layer);
  // A file is replaced, not changed: its other names keep the old one.
  folder.children.set(name, made);
}

function inode(root: Directory, entry: IndexEntry, layer: number): Inode {
  switch (entry.type) {
    case 'directory':
      return { type: 'directory', ...attributes(entry), children: new Map() };
    case 'file':
      return { type: 'file', ...attributes(entry), size: entry.size, layer, offset: entry.offset };
    case 'symlink':
      return { type: 'symlink', ...attributes(entry), mode: 0o777, target: entry.target };
    case 'hardlink':
      return linked(root, entry);
    default:
      return { type: entry.type, ...attributes(entry), major: entry.major, minor: entry.minor };
  }
}

function linked(root: Directory, { path, target }: IndexEntry): Inode {
  const place = placeOf(root, target, false);
  const found = place?.folder.children.get(place.name);
  if (found === undefined) throw unusable(path, 'it is a hard link to a file that is not there');
  if (found.type === 'directory') throw unusable(path, 'it is a hard link to a folder');
  return found;
}

function attributes({ mode, uid, gid, mtime, xattrs }: IndexEntry) {
  return { mode, uid, gid, mtime, xattrs };
}

function checkLengths({ path, type, target }: IndexEntry): void {
  if (path.length > PATH_MAX) throw unusable(path, `its path is longer than ${PATH_MAX} bytes`);
  if (path.length > NAME_MAX && path.split('/').some((name) => name.length > NAME_MAX)) {
    throw nameTooLong(path);
  }
  if (type === 'symlink' && target.length >= PATH_MAX)
    throw unusable(path, `its target is longer than ${PATH_MAX} bytes`);
}
