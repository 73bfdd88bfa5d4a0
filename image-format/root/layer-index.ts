// SPDX-License-Identifier: Apache-2.0
import type { EntryType } from '../layers/index.ts';

/**
 * One entry of a layer's tar archive. Names are bytes: each character (U+0000 to U+00FF) stands for one byte, so that
 * names which are not UTF-8 survive, and the order of characters is the order of bytes.
 */
export interface IndexEntry {
  /** From the root, without a leading slash; the root itself is `''`. */
  path: string;
  type: EntryType;
  /** 0 to 0o7777 */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Bytes of content. */
  size: number;
  /** Where the content begins in the archive, a multiple of 512. */
  offset: number;
  /** A symlink's text, or the path that a hard link is another name of. */
  target: string;
  major: number;
  minor: number;
  xattrs: readonly Xattr[];
}

/** Name and value, both as bytes in the form of {@link IndexEntry}. */
export type Xattr = readonly [name: string, value: string];

/** An entry as it is kept: an array, because twenty thousand of them are read before each new root. */
type Row = [
  path: string,
  type: EntryType,
  mode: number,
  uid: number,
  gid: number,
  mtime: number,
  size: number,
  offset: number,
  target?: string,
  major?: number,
  minor?: number,
  xattrs?: Xattr[],
];

/** The text of an index. */
export function formatIndex(entries: readonly IndexEntry[]): string {
  return JSON.stringify(entries.map(row));
}

function row(entry: IndexEntry): Row {
  const { path, type, mode, uid, gid, mtime, size, offset, target, major, minor, xattrs } = entry;
  if (xattrs.length > 0) {
    return [path, type, mode, uid, gid, mtime, size, offset, target, major, minor, [...xattrs]];
  }
  if (major !== 0 || minor !== 0) return [path, type, mode, uid, gid, mtime, size, offset, target, major, minor];
  if (target !== '') return [path, type, mode, uid, gid, mtime, size, offset, target];
  return [path, type, mode, uid, gid, mtime, size, offset];
}

/** Reads what {@link formatIndex} has written. */
export function parseIndex(text: string): IndexEntry[] {
  const rows = JSON.parse(text) as Row[];
  return rows.map((row) => ({
    path: row[0],
    type: row[1],
    mode: row[2],
    uid: row[3],
    gid: row[4],
    mtime: row[5],
    size: row[6],
    offset: row[7],
    target: row[8] ?? '',
    major: row[9] ?? 0,
    minor: row[10] ?? 0,
    xattrs: row[11] ?? NONE,
  }));
}

const NONE: readonly Xattr[] = [];

/** Names as people read them, for messages: control characters are escaped, and a long one is cut. */
export function showPath(path: string): string {
  const text = `/${Buffer.from(path, 'latin1').toString('utf8')}`;
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(shown).slice(1, -1);
}
