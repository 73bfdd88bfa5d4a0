// SPDX-License-Identifier: Apache-2.0
import type { Xattr } from './layer-index.ts';

/** What every kind of file has. Names are bytes, as in `IndexEntry`. */
interface Attributes {
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  xattrs: readonly Xattr[];
  /** Number of the layer that says so; of a file: whose archive holds the content. */
  layer: number;
  /** Whether some layer gave it another name; the name may be gone again. */
  linked: boolean;
}

export interface Directory extends Attributes {
  type: 'directory';
  children: Map<string, Inode>;
}

export interface RegularFile extends Attributes {
  type: 'file';
  /** Bytes. */
  size: number;
  /** Where the content begins in the layer's archive. */
  offset: number;
}

export interface Symlink extends Attributes {
  type: 'symlink';
  target: string;
}

export interface Special extends Attributes {
  type: 'character' | 'block' | 'fifo';
  major: number;
  minor: number;
}

/** One file of the merged root. The same object under several names is one file with several hard links. */
export type Inode = Directory | RegularFile | Symlink | Special;

/** A folder that no layer describes, as container engines make it. */
export function impliedDirectory(layer = 0): Directory {
  return {
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    xattrs: [],
    layer,
    linked: false,
    children: new Map(),
  };
}
