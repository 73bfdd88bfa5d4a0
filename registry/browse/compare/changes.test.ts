// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { digestOf } from '../../../image-format/index.ts';
import { compareLayers } from './changes.ts';

function layersOf(text: string) {
  return { layers: [...text].map((one, number) => ({ number, digest: digestOf(one), size: 1, role: one })) };
}

test.each([
  ['kdac', 'kDAc', '=k -d -a +D +A =c'],
  ['ab', 'ab', '=a =b'],
  ['', 'ab', '+a +b'],
  ['ab', '', '-a -b'],
  ['abc', 'c', '-a -b =c'],
  ['ab', 'ba', '=b =a'],
  ['axb', 'bya', '-x =b +y =a'],
  ['aa', 'a', '=a'],
])('%s to %s: %s', (from, to, expected) => {
  const signs = { added: '+', removed: '-', same: '=' };
  const compared = compareLayers(layersOf(from), layersOf(to));
  expect(compared.map(({ change, role }) => `${signs[change]}${role}`).join(' ')).toBe(expected);
});
