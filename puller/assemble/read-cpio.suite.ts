// SPDX-License-Identifier: Apache-2.0
// Reads what the kernel would unpack; for tests.

export interface ReadEntry {
  path: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  inode: number;
  links: number;
  rdev: [number, number];
  content: Buffer;
  /** Which of several archives it is in, from 0. */
  archive: number;
}

/** All entries of all archives, without the trailers. @throws where the kernel would say "no cpio magic" */
export function readCpio(bytes: Buffer): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let archive = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    if (at % 4 !== 0 || bytes.toString('latin1', at, at + 6) !== '070701') throw new Error(`no header at ${at}`);
    const numbers = Array.from({ length: 13 }, (_, i) =>
      Number.parseInt(bytes.toString('latin1', at + 6 + i * 8, at + 14 + i * 8), 16),
    );
    const [inode = 0, mode = 0, uid = 0, gid = 0, links = 0, mtime = 0, size = 0, , , major = 0, minor = 0, name = 0] =
      numbers;
    const path = bytes.toString('utf8', at + 110, at + 110 + name - 1);
    const start = align(at + 110 + name);
    at = align(start + size);
    if (path === 'TRAILER!!!') archive++;
    else {
      const content = bytes.subarray(start, start + size);
      entries.push({ path, mode, uid, gid, mtime, inode, links, rdev: [major, minor], content, archive });
    }
  }
  return entries;
}

function align(offset: number): number {
  return offset + ((4 - (offset % 4)) % 4);
}
