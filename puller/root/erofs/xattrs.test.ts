// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { encodeXattrs } from './xattrs.ts';

test('an attribute is kept by the number of its name space, the rest of its name, and its bytes', () => {
  const bytes = encodeXattrs([['security.capability', '\x01\xff']]);
  const entry = Buffer.from([10, 6, 2, 0, ...Buffer.from('capability'), 1, 0xff]);
  expect(bytes?.subarray(12)).toEqual(entry);
  expect((bytes?.length ?? 0) % 4).toBe(0);
});

test('access control lists have a number of their own, and no name', () => {
  expect(encodeXattrs([['system.posix_acl_default', 'x']])?.subarray(12, 17)).toEqual(
    Buffer.from([0, 3, 1, 0, ...Buffer.from('x')]),
  );
});

test("what has no place is left out: other name spaces, and overlayfs's own", () => {
  expect(encodeXattrs([])).toHaveLength(0);
  expect(
    encodeXattrs([
      ['com.apple.x', '1'],
      ['trusted.overlay.opaque', 'y'],
    ]),
  ).toHaveLength(0);
});

test('more than an inode can have is not cut', () => {
  const many = Array.from({ length: 5 }, (_, at): [string, string] => [`user.${at}`, 'x'.repeat(65_000)]);
  expect(encodeXattrs(many)).toBeUndefined();
});
