// SPDX-License-Identifier: Apache-2.0

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/** What a layer says about one path. */
export interface EntryHeader {
  /** From the root, without a leading slash, `.` or `..`; no trailing slash. The root itself is `''`. */
  path: string;
  type: EntryType;
  /** Permission bits with set-uid, set-gid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Bytes of content; 0 for all but files. */
  size: number;
  /** For a symlink its text as it is; for a hard link the path of an entry of the same layer, as `path` is written. */
  linkname?: string;
  /** For character and block devices. */
  devmajor?: number;
  devminor?: number;
  /** Extended attributes with their full names (`security.capability`). */
  xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** Where the bytes of a file that goes into a layer come from: memory, a file of this machine, or a part of one. */
export type EntrySource = { bytes: Uint8Array } | { file: string } | { partOf: string; start: number; size: number };

/** One path of a layer that is to be written. `mtime` is the layer's, not the entry's: see `writeLayer`. */
export interface LayerEntry extends Omit<EntryHeader, 'mtime' | 'size'> {
  /** For a file; its size is that of `source`. */
  source?: EntrySource;
}

/** One path of a layer that is being read. */
export interface LayerFile extends EntryHeader {
  /** Where the content begins: bytes from the start of the unpacked archive. */
  offset: number;
  /** The content, once; what is not read is skipped when the next entry is asked for. */
  content: AsyncIterable<Buffer>;
}
