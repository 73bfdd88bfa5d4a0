// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { reasonOf } from './build-tree.ts';

test.each([
  [['  CC a.o', 'a.c:1: error: bad', 'make[1]: *** [a.o] Error 1', 'make: *** Error 2'], 'a.c:1: error: bad'],
  [["crypto/Kconfig:1: can't open file", 'make[2]: *** [allnoconfig] Error 1'], "crypto/Kconfig:1: can't open file"],
  [['ld: undefined reference to x'], 'ld: undefined reference to x'],
  [['make: *** No rule to make target'], 'make: *** No rule to make target'],
  [[], undefined],
])('%j is because of %j', (tail, reason) => {
  expect(reasonOf(tail)).toBe(reason);
});
