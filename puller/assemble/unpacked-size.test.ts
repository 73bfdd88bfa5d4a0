// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { unpackedSize } from './unpacked-size.ts';

test.each([
  ['file', 0, 4096],
  ['file', 1, 4096 + 1024],
  ['file', 4096, 4096 + 1024],
  ['file', 4097, 8192 + 1024],
  ['directory', 0, 4096],
  ['hardlink', 0, 4096],
  ['symlink', 20, 4096],
  ['symlink', 200, 4096 + 1024],
])('a %s of %d bytes takes %d', (type, size, expected) => expect(unpackedSize(type, size)).toBe(expected));
