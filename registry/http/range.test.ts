// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RegistryError } from '../errors.ts';
import { parseContentRange, parseRange } from './range.ts';

describe('parseRange', () => {
  test('any header against any size: whole, refused, or a range inside', () => {
    const number = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(''));
    const header = fc.oneof(
      fc.string(),
      fc.tuple(number, number).map(([a, b]) => `bytes=${a}-${b}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, size) => {
        try {
          const range = parseRange(text, size);
          if (range === undefined) return;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeGreaterThanOrEqual(range.start);
          expect(range.end).toBeLessThan(size);
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
          expect(error).toMatchObject({ code: 'RANGE_INVALID' });
        }
      }),
    );
  });

  test('a-b of a blob that holds both is a-b', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (start, length, rest) => {
        const end = start + length;
        expect(parseRange(`bytes=${start}-${end}`, end + 1 + rest)).toEqual({ start, end });
        expect(parseRange(`bytes=${start}-`, end + 1)).toEqual({ start, end });
        expect(parseRange(`bytes=-${length + 1}`, end + 1)).toEqual({ start, end });
      }),
    );
  });
});

describe('parseContentRange', () => {
  test('reads what it is given, in each form', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (start, more) => {
        const expected = { start, length: more + 1 };
        for (const form of [
          `${start}-${start + more}`,
          `bytes ${start}-${start + more}/*`,
          `bytes=${start}-${start + more}`,
        ]) {
          expect(parseContentRange(form)).toEqual(expected);
        }
        if (more > 0) expect(() => parseContentRange(`${start + more}-${start}`)).toThrow(RegistryError);
      }),
    );
    expect(parseContentRange(undefined)).toBeUndefined();
  });

  test('anything else is an error of ours', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseContentRange(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'UPLOAD_INVALID' });
        }
      }),
    );
  });
});
