// SPDX-License-Identifier: Apache-2.0
import type { IndexEntry } from './layer-index.ts';
import { NAME_MAX, nameTooLong, type Place, placeOf, unusable } from './resolve.ts';
import type { Directory, Inode } from './tree.ts';

const WHITEOUT = '.wh.';
/** All names of the folder that lower layers have made are gone. */
const OPAQUE = '.wh..wh..opq';
/** Other names that begin so belong to AUFS itself; no engine puts them into a root. */
const AUFS = '.wh..wh.';

/** Linux: include/uapi/linux/limits.h; a symlink's target may have PATH_MAX - 1 bytes. */
const PATH_MAX = 4096;

/** What a layer does to something that lower layers have. */
export interface Effect {
  kind: 'replaces' | 'removes';
  /** As the layer writes it; of a whiteout, without its prefix. */
  path: string;
  before: Inode;
}

type Report = (effect: Effect) => void;

/** The folder of the last entry: archives have the files of a folder one after the other. */
interface LastFolder {
  path: string | undefined;
  folder: Directory;
}

/**
 * Puts one layer over those below it (image-spec layer.md, "Applying Changesets"). Whiteouts act on lower layers only,
 * so they come first, wherever they stand in the archive.
 *
 * @param layer its number, from 0
 * @param report told of everything in lower layers that this layer replaces or removes
 * @throws ImageError `LAYER_INVALID`, naming the path
 */
export function applyLayer(
  root: Directory,
  entries: readonly IndexEntry[],
  layer: number,
  report: Report = () => {},
): void {
  const present: IndexEntry[] = [];
  for (const entry of entries) {
    const slash = entry.path.lastIndexOf('/') + 1;
    if (entry.path.startsWith(WHITEOUT, slash)) whiteOut(root, entry.path, entry.path.slice(slash), report);
    else present.push(entry);
  }
  const last: LastFolder = { path: undefined, folder: root };
  for (const entry of present) addEntry(root, entry, layer, report, last);
}

function whiteOut(root: Directory, path: string, name: string, report: Report): void {
  const folder = path.slice(0, path.length - name.length);
  if (name === OPAQUE) {
    const children = placeOf(root, path, false)?.folder.children;
    for (const [child, inode] of children ?? []) report({ kind: 'removes', path: folder + child, before: inode });
    children?.clear();
    return;
  }
  if (name.startsWith(AUFS)) return;
  const removed = name.slice(WHITEOUT.length);
  if (removed === '' || removed === '.' || removed === '..') throw unusable(path, 'this whiteout names no file');
  const children = placeOf(root, path, false)?.folder.children;
  const before = children?.get(removed);
  if (before !== undefined) report({ kind: 'removes', path: folder + removed, before });
  children?.delete(removed);
}

function addEntry(root: Directory, entry: IndexEntry, layer: number, report: Report, last: LastFolder): void {
  checkLengths(entry);
  if (entry.path === '') {
    Object.assign(root, attributes(entry, layer));
    return;
  }
  const place = placeInLast(entry.path, last) ?? placeOf(root, entry.path, true, layer);
  if (place === undefined) return;
  const { folder, name } = place;
  last.path = entry.path.slice(0, -name.length);
  last.folder = folder;
  const there = folder.children.get(name);
  if (entry.type === 'directory' && there?.type === 'directory') {
    // One folder object has one place, so its attributes can be changed in place.
    Object.assign(there, attributes(entry, layer));
    return;
  }
  const made = inode(root, entry, layer);
  // What stood there may have been on the way to the last folder.
  if (there !== undefined) last.path = undefined;
  // What the same layer has twice was in no lower one.
  if (there !== undefined && there.layer < layer) report({ kind: 'replaces', path: entry.path, before: there });
  // A file is replaced, not changed: its other names keep the old one.
  folder.children.set(name, made);
}

function placeInLast(path: string, last: LastFolder): Place | undefined {
  const slash = path.lastIndexOf('/') + 1;
  if (last.path === undefined || last.path.length !== slash || !path.startsWith(last.path)) return undefined;
  return { folder: last.folder, name: path.slice(slash) };
}

function inode(root: Directory, entry: IndexEntry, layer: number): Inode {
  switch (entry.type) {
    case 'directory':
      return { type: 'directory', ...attributes(entry, layer), children: new Map() };
    case 'file':
      return {
        type: 'file',
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        mtime: entry.mtime,
        xattrs: entry.xattrs,
        layer,
        linked: false,
        size: entry.size,
        offset: entry.offset,
      };
    case 'symlink':
      return { type: 'symlink', ...attributes(entry, layer), mode: 0o777, target: entry.target };
    case 'hardlink':
      return linked(root, entry);
    default:
      return { type: entry.type, ...attributes(entry, layer), major: entry.major, minor: entry.minor };
  }
}

function linked(root: Directory, { path, target }: IndexEntry): Inode {
  const place = placeOf(root, target, false);
  const found = place?.folder.children.get(place.name);
  if (found === undefined) throw unusable(path, 'it is a hard link to a file that is not there');
  if (found.type === 'directory') throw unusable(path, 'it is a hard link to a folder');
  found.linked = true;
  return found;
}

function attributes({ mode, uid, gid, mtime, xattrs }: IndexEntry, layer: number) {
  return { mode, uid, gid, mtime, xattrs, layer, linked: false };
}

function checkLengths({ path, type, target }: IndexEntry): void {
  if (path.length > PATH_MAX) throw unusable(path, `its path is longer than ${PATH_MAX} bytes`);
  if (path.length > NAME_MAX && path.split('/').some((name) => name.length > NAME_MAX)) {
    throw nameTooLong(path);
  }
  if (type === 'symlink' && target.length >= PATH_MAX)
    throw unusable(path, `its target is longer than ${PATH_MAX} bytes`);
}
