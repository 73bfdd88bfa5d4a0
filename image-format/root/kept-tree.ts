// SPDX-License-Identifier: Apache-2.0
import type { EntryType } from '../layers/index.ts';
import type { Xattr } from './layer-index.ts';
import type { Directory, Inode } from './tree.ts';

/**
 * A merged tree as it is kept: one column for each attribute, because columns are read much faster than as many objects,
 * and twenty thousand names are read before a new root. Each row is a name in a folder. Folders are numbered in the
 * order of their rows; the first row is the root.
 */
interface Columns {
  /** The number of the folder that the name stands in. */
  folder: number[];
  name: string[];
  /** Place in {@link TYPES}. A hard link is a further name of an inode. */
  type: number[];
  mode: number[];
  uid: number[];
  gid: number[];
  mtime: number[];
  layer: number[];
  /** The size of a file, the place of a symlink's target in `targets`, the major number of a device, the row of the
   * inode that a hard link names; 0 for all else. */
  first: number[];
  /** The offset of a file, the minor number of a device; 0 for all else. */
  second: number[];
  targets: string[];
  /** By the number of the row, where there are any. */
  xattrs: Record<number, readonly Xattr[]>;
}

const TYPES = ['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo'] as const satisfies EntryType[];
const HARDLINK = TYPES.indexOf('hardlink');

const NONE: readonly Xattr[] = [];

/** The text of a merged tree, from which {@link parseTree} makes the same tree, with the same hard links. */
export function formatTree(root: Directory): string {
  const columns: Columns = {
    ...{ folder: [], name: [], type: [], mode: [], uid: [], gid: [], mtime: [], layer: [], first: [], second: [] },
    targets: [],
    xattrs: {},
  };
  const rows = new Map<Inode, number>();
  const folders: Directory[] = [];
  const add = (folder: number, name: string, inode: Inode): void => {
    const known = rows.get(inode);
    columns.folder.push(folder);
    columns.name.push(name);
    columns.type.push(known === undefined ? TYPES.indexOf(inode.type) : HARDLINK);
    for (const key of ['mode', 'uid', 'gid', 'mtime', 'layer'] as const) columns[key].push(inode[key]);
    const [first, second] = known === undefined ? typed(inode, columns.targets) : [known, 0];
    const row = columns.first.push(first) - 1;
    columns.second.push(second);
    if (known !== undefined) return;
    rows.set(inode, row);
    if (inode.xattrs.length > 0) columns.xattrs[row] = inode.xattrs;
    if (inode.type === 'directory') folders.push(inode);
  };
  add(0, '', root);
  // The list grows while it is walked.
  for (let folder = 0; folder < folders.length; folder++) {
    for (const [name, inode] of (folders[folder] as Directory).children) add(folder, name, inode);
  }
  return JSON.stringify(columns);
}

function typed(inode: Inode, targets: string[]): [first: number, second: number] {
  switch (inode.type) {
    case 'file':
      return [inode.size, inode.offset];
    case 'symlink':
      return [targets.push(inode.target) - 1, 0];
    case 'directory':
      return [0, 0];
    default:
      return [inode.major, inode.minor];
  }
}

/** Reads what {@link formatTree} has written. */
export function parseTree(text: string): Directory {
  const columns = JSON.parse(text) as Columns;
  const { folder, name, type } = columns;
  const inodes: Inode[] = [];
  const folders: Directory[] = [];
  for (let row = 0; row < name.length; row++) {
    const inode = type[row] === HARDLINK ? linkedInode(inodes, columns.first[row] as number) : readInode(columns, row);
    // The root stands in no folder.
    if (row > 0) (folders[folder[row] as number] as Directory).children.set(name[row] as string, inode);
    inodes.push(inode);
    if (inode.type === 'directory' && type[row] !== HARDLINK) folders.push(inode);
  }
  return folders[0] as Directory;
}

function linkedInode(inodes: readonly Inode[], row: number): Inode {
  const inode = inodes[row] as Inode;
  inode.linked = true;
  return inode;
}

/** Each kind is written out: copying common attributes into it takes twice the time of all the rest. */
function readInode(columns: Columns, row: number): Inode {
  const mode = columns.mode[row] as number;
  const uid = columns.uid[row] as number;
  const gid = columns.gid[row] as number;
  const mtime = columns.mtime[row] as number;
  const layer = columns.layer[row] as number;
  const xattrs = columns.xattrs[row] ?? NONE;
  const first = columns.first[row] as number;
  const second = columns.second[row] as number;
  const type = TYPES[columns.type[row] as number] as Inode['type'];
  switch (type) {
    case 'file':
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, size: first, offset: second };
    case 'symlink': {
      const target = columns.targets[first] as string;
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, target };
    }
    case 'directory':
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, children: new Map() };
    default:
      return { type, mode, uid, gid, mtime, xattrs, layer, linked: false, major: first, minor: second };
  }
}
