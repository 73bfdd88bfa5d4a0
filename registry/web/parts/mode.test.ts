// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { formatMode } from './mode.ts';

test.each([
  ['file', 0o644, '-rw-r--r--'],
  ['directory', 0o1777, 'drwxrwxrwt'],
  ['file', 0o4755, '-rwsr-xr-x'],
  ['file', 0o2644, '-rw-r-Sr--'],
  ['symlink', 0o777, 'lrwxrwxrwx'],
] as const)('%s %o is %s', (type, mode, text) => expect(formatMode({ type, mode })).toBe(text));
