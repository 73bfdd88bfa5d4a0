// SPDX-License-Identifier: Apache-2.0

import type { Directory } from '../../../image-format/root/index.ts';
import { PullerError } from '../../errors.ts';
import { writeDirectoryBlock } from './directory.ts';
import {
  BLOCK,
  BLOCKS_MAX,
  type Disk,
  encodeDevice,
  INODE_SIZE,
  LAYOUT,
  MODE_TYPE,
  SLOT,
  writeInode,
  writeSuperblock,
} from './format.ts';
import { type Placed, type Placement, placeInodes } from './place-inodes.ts';

/** The metadata end at a page, so that whole pages of an archive are read as whole pages. */
const ALIGNMENT = 4096;

/**
 * Makes the metadata of an EROFS file system whose files' content stands in tar archives. The disk is the metadata
 * followed by the archives, in the order of their numbers.
 *
 * Every file is one run of blocks (EROFS_INODE_FLAT_PLAIN): tar keeps content in whole blocks of 512 bytes, and so does
 * this file system.
 *
 * @param archives bytes of each archive, multiples of 512
 * @returns the metadata, a multiple of 4096 bytes
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function writeMetadata(root: Directory, archives: readonly number[]): Buffer {
  const placement = placeInodes(root);
  const size = Math.ceil((placement.blocksStart + placement.blockCount * BLOCK) / ALIGNMENT) * ALIGNMENT;
  const starts: number[] = [];
  let end = size / BLOCK;
  for (const bytes of archives) {
    starts.push(end);
    end += bytes / BLOCK;
  }
  if (end > BLOCKS_MAX) {
    throw new PullerError('IMAGE_UNSUPPORTED', 'the layers of the image are larger than 2 TiB in all');
  }
  const content = new ArrayBuffer(size);
  const target: Disk = { bytes: Buffer.from(content), words: new Uint32Array(content) };
  const [first] = placement.all;
  writeSuperblock(target.bytes, { rootNid: nidOf(first as Placed), inodes: placement.all.length, blocks: end });
  placement.all.forEach((placed, serial) => {
    writePlaced(target, placed, serial + 1, placement, starts);
  });
  return target.bytes;
}

function nidOf({ offset }: Placed): number {
  return offset / SLOT;
}

function writePlaced(
  target: Disk,
  placed: Placed,
  serial: number,
  placement: Placement,
  starts: readonly number[],
): void {
  const { inode, offset, xattrs, layout, links, size } = placed;
  const { mode, uid, gid, mtime, type } = inode;
  writeInode(target.words, offset, {
    layout,
    xattrBytes: xattrs.length,
    mode: MODE_TYPE[type] | mode,
    serial,
    uid,
    gid,
    mtime,
    links,
    size: inode.type === 'file' ? inode.size : size,
    union: unionOf(placed, placement, starts),
  });
  if (xattrs.length > 0) xattrs.copy(target.bytes, offset + INODE_SIZE);
  if (inode.type === 'symlink') writeTarget(target, placed, inode.target, placement);
  if (inode.type === 'directory') writeDirectory(target, placed, placement);
}

function unionOf({ inode, firstBlock }: Placed, placement: Placement, starts: readonly number[]): number {
  switch (inode.type) {
    case 'file':
      return inode.size === 0 ? 0 : (starts[inode.layer] ?? 0) + inode.offset / BLOCK;
    case 'directory':
    case 'symlink':
      return firstBlock < 0 ? 0 : placement.blocksStart / BLOCK + firstBlock;
    default:
      return encodeDevice(inode.major, inode.minor);
  }
}

/** Where the `index`th block of an inode's data stands; the last one may stand behind the inode. */
function dataOffset(placed: Placed, { blocksStart }: Placement, index: number): number {
  const { layout, size, offset, xattrs, firstBlock } = placed;
  const isTail = layout === LAYOUT.inline && index === Math.floor(size / BLOCK);
  return isTail ? offset + INODE_SIZE + xattrs.length : blocksStart + (firstBlock + index) * BLOCK;
}

/** A long target fills blocks of its own, and its rest may stand behind the inode. */
function writeTarget(target: Disk, placed: Placed, text: string, placement: Placement): void {
  for (let index = 0; index * BLOCK < text.length; index++) {
    const piece = text.slice(index * BLOCK, (index + 1) * BLOCK);
    target.bytes.write(piece, dataOffset(placed, placement, index), 'latin1');
  }
}

function writeDirectory(target: Disk, placed: Placed, placement: Placement): void {
  const { blocks = [], entries = [] } = placed.directory ?? {};
  let first = 0;
  for (const [index, names] of blocks.entries()) {
    writeDirectoryBlock(target, dataOffset(placed, placement, index), names, entries, first);
    first += names.length;
  }
}
