// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { BaseTree } from './base-tree.ts';

const OWNED = { mode: 0o755, uid: 0, gid: 0 };
const file = (path: string) => ({ path, type: 'file' as const, ...OWNED });
const folder = (path: string) => ({ path, type: 'directory' as const, ...OWNED });
const link = (path: string, linkname: string) => ({ path, type: 'symlink' as const, ...OWNED, linkname });

function tree(...layers: Parameters<BaseTree['apply']>[0][]): BaseTree {
  const made = new BaseTree();
  for (const layer of layers) made.apply(layer);
  return made;
}

test('whiteouts remove what lower layers have, and nothing of their own', () => {
  const made = tree([file('a/x'), file('a/y'), file('b/z')], [file('a/.wh.x'), file('b/.wh..wh..opq'), file('b/new')]);
  expect(made.get('a/x')).toBeUndefined();
  expect(made.get('a/y')).toBeDefined();
  expect(made.get('b/z')).toBeUndefined();
  expect(made.get('b/new')).toBeDefined();
  const both = tree([file('n')], [file('n'), file('.wh.n'), file('.wh.never')]);
  expect(both.get('n')?.type).toBe('file');
});

test('a later entry replaces another type, a folder keeps what is in it', () => {
  const made = tree([file('d/x'), file('f')], [folder('d'), folder('f')], [file('d')]);
  expect(made.get('f')?.type).toBe('directory');
  expect(made.get('d')?.type).toBe('file');
  expect(made.get('d/x')).toBeUndefined();
});

test('links are followed as the kernel does, and never out of the tree', () => {
  const made = tree(
    [folder('usr/lib'), link('lib', 'usr/lib'), link('up', '../../../usr'), link('loop', 'loop')],
    [file('lib/x')],
  );
  expect(made.get('usr/lib/x')?.path).toBe('usr/lib/x');
  expect(made.follow('up/lib/x')?.path).toBe('usr/lib/x');
  expect(made.follow('loop')).toBeUndefined();
  expect(made.place('/lib/new/deep', false)).toBe('usr/lib/new/deep');
  expect(made.place('/lib', true)).toBe('usr/lib');
  expect(made.place('/lib', false)).toBe('lib');
});
