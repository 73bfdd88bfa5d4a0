// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PullerError } from '../errors.ts';
import { type ArrangedLayer, arrangeLayers } from './arrange.ts';
import type { SegmentPath } from './layer-segment.ts';

/** `a/` is a folder, `a -> b` a link, anything else a file. */
function layer(role: string, ...paths: string[]): ArrangedLayer {
  return {
    role,
    paths: paths.map((text): SegmentPath => {
      const [path = '', target] = text.split(' -> ');
      if (target !== undefined) return { path, type: 'symlink', target };
      return path.endsWith('/') ? { path: path.slice(0, -1), type: 'directory' } : { path, type: 'file' };
    }),
  };
}

const merged = layer('deps', 'usr/', 'usr/bin/', 'usr/lib/', 'bin -> usr/bin', 'lib -> usr/lib', 'usr/bin/sh');

describe('layers that fit', () => {
  test('folders may repeat', () =>
    expect(arrangeLayers([merged, layer('app', 'usr/', 'usr/bin/', 'usr/bin/app')])).toEqual([[], []]));
  test('paths through a link', () =>
    expect(arrangeLayers([merged, layer('app', 'bin/app', 'lib/x/', 'lib/x/y')])).toEqual([[], []]));
  test('a link that leads above the root stays at it', () =>
    expect(arrangeLayers([layer('deps', 'etc/', 'up -> ../../../etc'), layer('app', 'up/file')])).toEqual([[], []]));
  test('an absolute link', () =>
    expect(arrangeLayers([layer('deps', 'a/', 'a/b/', 'a/c -> /a/b'), layer('app', 'a/c/file')])).toEqual([[], []]));
  test('folders that nobody makes are named once', () =>
    expect(arrangeLayers([layer('deps', 'a/b/c', 'a/b/d'), layer('app', 'a/e/f')])).toEqual([['a', 'a/b'], ['a/e']]));
});

describe('layers that do not', () => {
  test.each([
    ['the same file twice', [layer('deps', 'x'), layer('app', 'x')]],
    ['the same file through a link', [merged, layer('app', 'bin/sh')]],
    ['a file over a folder', [layer('deps', 'a/'), layer('app', 'a')]],
    ['a folder over a link', [merged, layer('app', 'bin/')]],
    ['a link over a folder', [layer('deps', 'a/'), layer('app', 'a -> b')]],
    ['something in a file', [layer('deps', 'a'), layer('app', 'a/b')]],
    ['links in circles', [layer('deps', 'a -> b', 'b -> a'), layer('app', 'a/x')]],
    ["the guest's own folder through a link", [layer('deps', 'x -> .uk'), layer('app', 'x/init')]],
    ["the guest's own folder through two", [layer('deps', 'x -> y/z', 'y/', 'y/z -> /.uk', 'x/init')]],
    ["below the guest's own folder", [layer('deps', 'x -> /', 'x/.uk/a/b')]],
    ["a link in the guest's own folder's place", [layer('deps', 'd/', 'x -> /d/..', 'x/.uk -> d')]],
    ["the guest's own folder on the way", [layer('deps', 'x -> .uk', 'x/../y')]],
    ['twice in one layer', [layer('deps', 'a', 'a')]],
  ])('%s', (_name, layers) =>
    expect(() => arrangeLayers(layers)).toThrow(expect.objectContaining({ code: 'IMAGE_UNSUPPORTED' })),
  );
});

test('any tree is arranged or refused, soon', () => {
  const name = fc.constantFrom('a', 'b', 'c', '..', '.');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const one = fc.oneof(
    path,
    path.map((text) => `${text}/`),
    fc.tuple(path, path).map(([from, to]) => `${from} -> ${to}`),
  );
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), fc.array(one, { maxLength: 12 }), (first, second) => {
      try {
        expect(arrangeLayers([layer('deps', ...first), layer('app', ...second)])).toHaveLength(2);
      } catch (error) {
        expect(error).toBeInstanceOf(PullerError);
      }
    }),
  );
});
