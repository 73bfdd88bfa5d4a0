// SPDX-License-Identifier: Apache-2.0
// EROFS on disk (Linux 6.12, fs/erofs/erofs_fs.h). All numbers are little endian.

/** Bytes of a block: those of tar, so that a file's content can stay where it is in a layer's archive. */
export const BLOCK = 512;

/** Where the superblock stands, whatever the size of a block. */
export const SUPERBLOCK_OFFSET = 1024;
const SUPERBLOCK_SIZE = 128;

/** The first byte behind the superblock's block: inodes begin here. */
export const METADATA_START = SUPERBLOCK_OFFSET + BLOCK;

/** An inode's number is its place on the disk in units of this many bytes. */
export const SLOT = 32;

/** struct erofs_inode_extended */
export const INODE_SIZE = 64;

/** struct erofs_dirent */
export const DIRENT_SIZE = 12;

/** Blocks are counted with 32 bits. */
export const BLOCKS_MAX = 2 ** 32 - 1;

/** How an inode's data are stored: in blocks one behind the other, or with the rest of the last block behind the inode. */
export const LAYOUT = { plain: 0, inline: 2 } as const;

/** enum of file types in a directory: EROFS_FT_*, the same as Linux's FT_*. */
export const FILE_TYPE = { file: 1, directory: 2, character: 3, block: 4, fifo: 5, symlink: 7 } as const;

/** S_IFMT (include/uapi/linux/stat.h) */
export const MODE_TYPE = {
  file: 0o100000,
  directory: 0o040000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  symlink: 0o120000,
} as const;

/** What is written, as bytes and as numbers of 32 bits. */
export interface Disk {
  bytes: Buffer;
  words: Uint32Array;
}

const MAGIC = 0xe0f5e1e2;
const BLOCK_BITS = 9;
/** EROFS_FEATURE_COMPAT_MTIME: inodes hold the time of change of their content. */
const COMPAT_MTIME = 2;

export interface Superblock {
  rootNid: number;
  inodes: number;
  blocks: number;
}

/** struct erofs_super_block, at {@link SUPERBLOCK_OFFSET} of `target`. Without a checksum: the disk is this node's own. */
export function writeSuperblock(target: Buffer, { rootNid, inodes, blocks }: Superblock): void {
  const at = target.subarray(SUPERBLOCK_OFFSET, SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE);
  at.writeUInt32LE(MAGIC, 0);
  at.writeUInt32LE(COMPAT_MTIME, 8);
  at.writeUInt8(BLOCK_BITS, 12);
  at.writeUInt16LE(rootNid, 14);
  at.writeBigUInt64LE(BigInt(inodes), 16);
  at.writeUInt32LE(blocks, 36);
  // meta_blkaddr is 0: inodes are numbered from the start of the disk.
}

export interface InodeFields {
  layout: number;
  /** Bytes of its extended attributes behind it. */
  xattrBytes: number;
  mode: number;
  size: number;
  /** First block of the data, or a device's number. */
  union: number;
  serial: number;
  uid: number;
  gid: number;
  mtime: number;
  links: number;
}

/**
 * struct erofs_inode_extended at byte `offset`. A number of 32 bits is one store: in code that has just been loaded that
 * is several times faster than the methods of a Buffer.
 *
 * @param words of the disk; the node is little endian too
 */
export function writeInode(words: Uint32Array, offset: number, inode: InodeFields): void {
  const at = offset / 4;
  const format = 1 | (inode.layout << 1);
  const xattrs = inode.xattrBytes === 0 ? 0 : (inode.xattrBytes - XATTR_HEADER) / 4 + 1;
  words[at] = format | (xattrs << 16);
  words[at + 1] = inode.mode;
  words[at + 2] = inode.size;
  words[at + 3] = inode.size / 2 ** 32;
  words[at + 4] = inode.union;
  words[at + 5] = inode.serial;
  words[at + 6] = inode.uid;
  words[at + 7] = inode.gid;
  // Before 1970 it is negative.
  words[at + 8] = inode.mtime;
  words[at + 9] = Math.floor(inode.mtime / 2 ** 32);
  words[at + 11] = inode.links;
}

/**
 * struct erofs_dirent at byte `offset`.
 *
 * @param words of the disk
 * @param nameOffset bytes from the start of the block
 */
export function writeDirent(words: Uint32Array, offset: number, nid: number, nameOffset: number, type: number): void {
  const at = offset / 4;
  words[at] = nid;
  words[at + 1] = nid / 2 ** 32;
  words[at + 2] = nameOffset | (type << 16);
}

/** struct erofs_xattr_ibody_header */
export const XATTR_HEADER = 12;

/** A device's number as the kernel keeps it (include/linux/kdev_t.h, new_encode_dev). */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
