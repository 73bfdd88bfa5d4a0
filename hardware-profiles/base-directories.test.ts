// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { baseDirectory, runtimeDirectory } from './base-directories.ts';
import { profileFolders } from './load.ts';

test('an absolute path is used', () => {
  expect(baseDirectory('XDG_CACHE_HOME', { XDG_CACHE_HOME: '/c', HOME: '/h' })).toBe('/c');
  expect(runtimeDirectory({ XDG_RUNTIME_DIR: '/run/user/1' })).toBe('/run/user/1');
});

test.each([undefined, '', 'relative', './x', '~/x'])('%j is ignored', (value) => {
  expect(baseDirectory('XDG_DATA_HOME', { XDG_DATA_HOME: value, HOME: '/h' })).toBe('/h/.local/share');
  expect(runtimeDirectory({ XDG_RUNTIME_DIR: value })).toBeUndefined();
  expect(profileFolders({ XDG_CONFIG_HOME: value, HOME: '/h' })[0]).toBe('/h/.config/uk/profiles');
});
