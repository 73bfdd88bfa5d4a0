// SPDX-License-Identifier: Apache-2.0
import type { EntryType } from '../layers/index.ts';
import type { Xattr } from './layer-index.ts';
import type { Directory, Inode } from './tree.ts';

/**
 * An inode as it is kept, under its first name. `folder` is the number of the folder that it stands in; folders are
 * numbered in the order of their rows, and the root is 0. It is an array, because twenty thousand of them are read
 * before a new root.
 */
type InodeRow = [
  folder: number,
  name: string,
  type: Exclude<EntryType, 'hardlink'>,
  mode: number,
  uid: number,
  gid: number,
  mtime: number,
  layer: number,
  /** The size of a file, the target of a symlink, the major number of a device; 0 for all else. */
  first: number | string,
  /** The offset of a file, the minor number of a device; 0 for all else. */
  second: number,
  xattrs?: readonly Xattr[],
];

/** Another name of an inode, with the number of the inode's row. */
type LinkRow = [folder: number, name: string, row: number];

/** The text of a merged tree, from which {@link parseTree} makes the same tree, with the same hard links. */
export function formatTree(root: Directory): string {
  const rows: (InodeRow | LinkRow)[] = [inodeRow(0, '', root)];
  const numbers = new Map<Inode, number>([[root, 0]]);
  const folders = [root];
  // The list grows while it is walked.
  for (let folder = 0; folder < folders.length; folder++) {
    for (const [name, inode] of (folders[folder] as Directory).children) {
      const known = numbers.get(inode);
      if (known !== undefined) {
        rows.push([folder, name, known]);
        continue;
      }
      numbers.set(inode, rows.length);
      rows.push(inodeRow(folder, name, inode));
      if (inode.type === 'directory') folders.push(inode);
    }
  }
  return JSON.stringify(rows);
}

function inodeRow(folder: number, name: string, inode: Inode): InodeRow {
  const { type, mode, uid, gid, mtime, layer, xattrs } = inode;
  const [first, second] = typed(inode);
  const row: InodeRow = [folder, name, type, mode, uid, gid, mtime, layer, first, second];
  if (xattrs.length > 0) row.push(xattrs);
  return row;
}

function typed(inode: Inode): [first: number | string, second: number] {
  switch (inode.type) {
    case 'file':
      return [inode.size, inode.offset];
    case 'symlink':
      return [inode.target, 0];
    case 'directory':
      return [0, 0];
    default:
      return [inode.major, inode.minor];
  }
}

/** Reads what {@link formatTree} has written. */
export function parseTree(text: string): Directory {
  const rows = JSON.parse(text) as (InodeRow | LinkRow)[];
  const inodes: Inode[] = [];
  const folders: Directory[] = [];
  for (const row of rows) {
    const inode = row.length === 3 ? linkedInode(inodes, row) : readInode(row);
    // The root stands in no folder.
    if (inodes.length > 0) (folders[row[0]] as Directory).children.set(row[1], inode);
    inodes.push(inode);
    if (inode.type === 'directory') folders.push(inode);
  }
  return folders[0] as Directory;
}

function linkedInode(inodes: readonly Inode[], [, , number]: LinkRow): Inode {
  const inode = inodes[number] as Inode;
  inode.linked = true;
  return inode;
}

function readInode(row: InodeRow): Inode {
  const [, , type, mode, uid, gid, mtime, layer, first, second, xattrs = NONE] = row;
  switch (type) {
    case 'file':
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, size: first as number, offset: second };
    case 'symlink':
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, target: first as string };
    case 'directory':
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, children: new Map() };
    default:
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, major: first as number, minor: second };
  }
}

const NONE: readonly Xattr[] = [];
