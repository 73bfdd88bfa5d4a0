// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { applyLayer } from './apply-layer.ts';
import { formatTree, parseTree } from './kept-tree.ts';
import type { IndexEntry } from './layer-index.ts';
import { type Directory, impliedDirectory } from './tree.ts';

const entry = (path: string, type: IndexEntry['type'], more: Partial<IndexEntry> = {}): IndexEntry => ({
  ...{ path, type, mode: 0o644, uid: 1, gid: 2, mtime: -3, size: 0, offset: 0, target: '', major: 0, minor: 0 },
  xattrs: [],
  ...more,
});

describe('a merged tree that is kept', () => {
  test('is read as it was', () => {
    const root = impliedDirectory();
    applyLayer(
      root,
      [
        entry('', 'directory', { mode: 0o1777 }),
        entry('a/b/caf\xe9', 'file', { size: 2 ** 40, offset: 512, xattrs: [['user.x', '\x00\xff']] }),
        entry('a/link', 'symlink', { target: '../\xff' }),
        entry('dev', 'character', { major: 5, minor: 1 }),
        entry('pipe', 'fifo'),
      ],
      0,
    );
    applyLayer(root, [entry('other', 'hardlink', { target: 'a/b/caf\xe9' }), entry('a/c', 'file')], 7);
    const read = parseTree(formatTree(root));
    expect(read).toEqual(root);
    const folder = (read.children.get('a') as Directory).children.get('b') as Directory;
    expect(read.children.get('other')).toBe(folder.children.get('caf\xe9'));
  });

  test('of nothing is an empty folder', () => {
    expect(parseTree(formatTree(impliedDirectory()))).toEqual(impliedDirectory());
  });
});
