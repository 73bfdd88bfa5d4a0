// SPDX-License-Identifier: Apache-2.0
// The archive that the kernel unpacks as its root: cpio "newc" (Linux, Documentation/driver-api/early-userspace/
// buffer-format.rst; init/initramfs.c reads it).
import { PullerError } from '../errors.ts';

/** File types as in `st_mode`. */
export const MODE = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
} as const;

export interface CpioEntry {
  /** Without a leading slash; `.` is the root. */
  path: string;
  /** One of {@link MODE} and the permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Bytes that follow: a file's content, a symlink's target. */
  size: number;
  /** Files with one number and more than one link are one file. Numbers count within one archive. */
  inode: number;
  links: number;
  devmajor?: number | undefined;
  devminor?: number | undefined;
}

const HEADER = 110;
const PATH_MAX = 4096;
const MAX32 = 0xffffffff;

/** Offset of the number of links in a header, which is known only when the layer has been read to its end. */
export const LINKS_OFFSET = 38;

/** Bytes to the next multiple of four. */
export function cpioPadding(size: number): number {
  return (4 - (size % 4)) % 4;
}

export function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/**
 * The header with the name and its padding; the content and its own padding follow.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED` for what the format cannot say
 */
export function cpioHeader(entry: CpioEntry): Buffer {
  const { path, mode, uid, gid, size, inode, links, devmajor = 0, devminor = 0 } = entry;
  const name = Buffer.from(`${path}\0`);
  if (name.length > PATH_MAX) throw unsupported(path, `its path is longer than ${PATH_MAX - 1} bytes`);
  if (size > MAX32) throw unsupported(path, 'it is larger than 4 GiB');
  // A time before 1970 or after 2106 has no place in the header.
  const mtime = Math.min(Math.max(entry.mtime, 0), MAX32);
  const numbers = [inode, mode, uid, gid, links, mtime, size, 0, 0, devmajor, devminor, name.length, 0];
  const bytes = Buffer.alloc(HEADER + name.length + cpioPadding(HEADER + name.length));
  bytes.write(`070701${numbers.map(hex8).join('')}`, 'latin1');
  name.copy(bytes, HEADER);
  return bytes;
}

/** What ends an archive. Several archives may stand one after the other. */
export function cpioTrailer(): Buffer {
  return cpioHeader({ path: 'TRAILER!!!', mode: 0, uid: 0, gid: 0, mtime: 0, size: 0, inode: 0, links: 1 });
}

function unsupported(path: string, why: string): PullerError {
  return new PullerError('IMAGE_UNSUPPORTED', `${path.slice(0, 200)} cannot be put into an initramfs: ${why}`);
}
