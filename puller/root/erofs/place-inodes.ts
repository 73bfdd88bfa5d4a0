// SPDX-License-Identifier: Apache-2.0

import { type Directory, type Inode, showPath } from '../../../image-format/root/index.ts';
import { PullerError } from '../../errors.ts';
import { type DirectoryBlocks, directoryBlocks } from './directory.ts';
import { BLOCK, INODE_SIZE, LAYOUT, METADATA_START, SLOT } from './format.ts';
import { encodeXattrs } from './xattrs.ts';

/** An inode and where it stands. */
export interface Placed {
  inode: Inode;
  /** Byte on the disk; its number is this divided by 32. */
  offset: number;
  links: number;
  xattrs: Buffer;
  layout: number;
  /** Bytes of its data: a file's are elsewhere. */
  size: number;
  /** First of its data blocks in this metadata, counted from the first one of all; -1 without any. */
  firstBlock: number;
  /** For a folder. */
  directory: PlacedDirectory | undefined;
  parent: Placed | undefined;
}

/** The names of a folder, and what each of them names. */
export interface PlacedDirectory extends DirectoryBlocks {
  /** In the order of the names. */
  entries: Placed[];
}

export interface Placement {
  /** The root is the first. */
  all: Placed[];
  /** The first byte behind all inodes, a multiple of a block. */
  blocksStart: number;
  /** How many data blocks of folders and symlinks follow there. */
  blockCount: number;
}

/**
 * Gives every inode its place. The inodes of one folder stand together, so that listing it reads few blocks; what
 * they hold stands right behind them where it fits into the same block.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function placeInodes(root: Directory): Placement {
  /** Only what may have several names is looked for again. */
  const linked = new Map<Inode, Placed>();
  const all: Placed[] = [];
  const folders: { at: Placed; children: Directory['children']; path: string }[] = [];
  let cursor = METADATA_START;
  let blockCount = 0;

  const place = (inode: Inode, path: string, parent: Placed | undefined): Placed => {
    const known = inode.linked ? linked.get(inode) : undefined;
    if (known !== undefined) {
      known.links++;
      return known;
    }
    const xattrs = encodeXattrs(inode.xattrs);
    if (xattrs === undefined) {
      throw new PullerError('IMAGE_UNSUPPORTED', `${showPath(path)} has too many extended attributes`);
    }
    const directory = inode.type === 'directory' ? { ...directoryBlocks(inode), entries: [] } : undefined;
    const size = directory?.size ?? (inode.type === 'symlink' ? inode.target.length : 0);
    const head = INODE_SIZE + xattrs.length;
    const tail = size % BLOCK;
    const inlined = tail === 0 ? undefined : inlineOffset(cursor, head, tail);
    const offset = inlined ?? align(cursor, head);
    const blocks = Math.ceil((size - (inlined === undefined ? 0 : tail)) / BLOCK);
    const made: Placed = {
      inode,
      offset,
      links: inode.type === 'directory' ? 2 : 1,
      xattrs,
      size,
      layout: inlined === undefined ? LAYOUT.plain : LAYOUT.inline,
      firstBlock: blocks === 0 ? -1 : blockCount,
      directory,
      parent,
    };
    cursor = offset + head + (inlined === undefined ? 0 : tail);
    blockCount += blocks;
    if (inode.linked) linked.set(inode, made);
    all.push(made);
    if (inode.type === 'directory') {
      folders.push({ at: made, children: inode.children, path });
      if (parent !== undefined) parent.links++;
    }
    return made;
  };

  place(root, '', undefined);
  // The list grows while it is walked: the folders of one level come before those of the next.
  for (const { at, children, path } of folders) {
    const prefix = path === '' ? '' : `${path}/`;
    const directory = at.directory as PlacedDirectory;
    for (const names of directory.blocks) {
      for (const name of names) {
        const inode = children.get(name);
        directory.entries.push(inode === undefined ? ownEntry(at, name) : place(inode, prefix + name, at));
      }
    }
  }
  return {
    all,
    blockCount,
    blocksStart: Math.ceil(cursor / BLOCK) * BLOCK,
  };
}

/** What `.` and `..` name: the folder itself, and the one that it stands in, which for the root is itself. */
function ownEntry(folder: Placed, name: string): Placed {
  return name === '..' ? (folder.parent ?? folder) : folder;
}

/** The next place for an inode whose fixed part does not cross a block, so that one read gets it. */
function align(cursor: number, head: number): number {
  const offset = Math.ceil(cursor / SLOT) * SLOT;
  const crosses = (offset % BLOCK) + Math.min(head, INODE_SIZE) > BLOCK;
  return crosses ? Math.ceil(offset / BLOCK) * BLOCK : offset;
}

/** The next place where the data behind an inode stay within one block (fs/erofs/data.c, erofs_map_blocks). */
function inlineOffset(cursor: number, head: number, tail: number): number | undefined {
  let offset = align(cursor, head);
  for (let tries = 0; tries <= BLOCK / SLOT; tries++) {
    if (((offset + head) % BLOCK) + tail <= BLOCK) return offset;
    offset = align(offset + SLOT, head);
  }
  return undefined;
}
