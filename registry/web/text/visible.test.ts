// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pieces, visible } from './visible.ts';

describe('visible', () => {
  test.each([
    ['plain', 'plain'],
    ['über 日本語 Ωmega', 'über 日本語 Ωmega'],
    ['a\u202egpj.exe', 'a\\u{202e}gpj.exe'],
    ['\u200bzero\u200d', '\\u{200b}zero\\u{200d}'],
    ['\x1b[31mred', '\\u{1b}[31mred'],
    ['two\nlines\t', 'two\\nlines\\t'],
    ['\ud800alone', '\\u{d800}alone'],
    ['\u2028', '\\u{2028}'],
    ['', ''],
  ])('%j reads %j', (text, expected) => expect(visible(text)).toBe(expected));

  test('a text of several lines keeps them', () => {
    expect(visible('one\n\ttwo\r\u202e', { lines: true })).toBe('one\n\ttwo\\r\\u{202e}');
  });

  test('what is too long is cut, not in the middle of a character', () => {
    expect(visible('ab😀', { limit: 3 })).toBe('ab… (4 characters)');
    expect(visible('x'.repeat(1_000_000))).toHaveLength(2_000 + '… (1,000,000 characters)'.length);
  });

  test('nothing hidden is left, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const piece of pieces(text)) {
          expect(piece.text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u);
        }
      }),
    );
  });
});
