// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMemory } from './memory.ts';

test.each([
  ['128M', 134217728],
  ['128m', 134217728],
  ['128MiB', 134217728],
  ['128 MB', 134217728],
  ['1.5G', 1610612736],
  ['1G', 1073741824],
  ['512k', 524288],
  ['4096', 4096],
  ['4096b', 4096],
])('%s', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test.each(['', 'M', '0', '0.1', '-1M', '1e3', '1P', '1 G B', '1M\n', '99999999T', '١'])('%j is no amount', (text) => {
  expect(parseMemory(text)).toBeUndefined();
});

test('any text is whole bytes above zero, or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20} ?[kmgtKMGT]?i?[bB]?$/)), (text) => {
      const bytes = parseMemory(text);
      if (bytes !== undefined) expect(Number.isSafeInteger(bytes) && bytes > 0).toBe(true);
    }),
  );
});
