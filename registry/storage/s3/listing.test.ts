// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { startAfter } from './listing.ts';

const legal = fc.stringMatching(/^[A-Za-z0-9._!-]{1,6}$/);
const odd = fc.string({ unit: 'binary', maxLength: 6 });

test('where a listing begins has the same keys behind it as the text that was given, and is plain', () => {
  fc.assert(
    fc.property(
      fc.array(legal, { maxLength: 20 }),
      fc.oneof(
        odd,
        fc.tuple(legal, odd).map(([tail, end]) => `t/${tail}${end}`),
        legal.map((tail) => `t/${tail}`),
        fc.constantFrom('t/', 't', 't0', 's/x', `t/${'z'.repeat(3000)}`),
      ),
      (names, after) => {
        const keys = names.map((name) => `t/${name}`);
        const from = startAfter('t/', after);
        const behind = from === 'nothing' ? [] : keys.filter((key) => from === undefined || key > from);
        expect(behind).toEqual(keys.filter((key) => key > after));
        expect(from ?? '').toMatch(/^[\x21-\x7e]{0,1001}$/);
      },
    ),
    { numRuns: 2000 },
  );
});
