// SPDX-License-Identifier: Apache-2.0

const PAGE = 4096;

/** A file's inode and name in the kernel's memory, beside its pages; about. */
const INODE = 1024;

/** Up to this length a target stands beside the inode (Linux, mm/shmem.c, SHORT_SYMLINK_LEN). */
const SHORT_SYMLINK = 128;

/** One that is put into a tmpfs costs this many bytes there, whatever it is: even a tiny file takes a page. */
export function unpackedSize(type: string, size: number): number {
  const inPages = type === 'file' || (type === 'symlink' && size >= SHORT_SYMLINK);
  const pages = inPages ? Math.ceil(size / PAGE) * PAGE : 0;
  // A tmpfs of half the memory takes one name for each two pages of memory (shmem_default_max_inodes): so each name,
  // also a hard link, counts as a page at least.
  return Math.max(pages + INODE, PAGE);
}
