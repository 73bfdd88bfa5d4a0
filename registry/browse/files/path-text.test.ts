// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathBytes, pathText } from './path-text.ts';

const latin1 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('latin1');

test.each([
  ['usr/lib', 'usr/lib'],
  [latin1('ünï/日本'), 'ünï/日本'],
  ['a\\b', 'a\\\\b'],
  ['a\xff', 'a\\xff'],
  [`${latin1('é')}\xe9`, 'é\\xe9'],
])('%j is shown as %j', (bytes, text) => expect(pathText(bytes)).toBe(text));

test('every name of bytes has a text of its own, which is well formed and leads back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 255, maxLength: 40 }), (bytes) => {
      const name = latin1(bytes);
      const text = pathText(name);
      expect(text.isWellFormed()).toBe(true);
      expect(pathBytes(text)).toBe(name);
    }),
  );
});
