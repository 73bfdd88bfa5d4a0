// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyFilter } from './key-filter.ts';

test('forgets no key', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (keys, salt) => {
      const filter = new KeyFilter(keys.length, salt);
      for (const key of keys) filter.add(key);
      expect(keys.every((key) => filter.mayHave(key))).toBe(true);
    }),
  );
});

test('seldom believes to have one that it does not, and another filter does not make the same mistakes', () => {
  const count = 20_000;
  const key = (at: number) => `data/${String(1_700_000_000_000 + at).padStart(15, '0')}-id-${at % 7}`;
  const mistakes = ['one', 'two'].map((salt) => {
    const filter = new KeyFilter(count, salt);
    for (let at = 0; at < count; at += 1) filter.add(key(at));
    return Array.from({ length: count }, (_, at) => key(count + at)).filter((other) => filter.mayHave(other));
  });
  for (const made of mistakes) expect(made.length).toBeLessThan(count / 100);
  const both = mistakes[0]?.filter((other) => mistakes[1]?.includes(other)) ?? [];
  expect(both.length).toBeLessThan(count / 1000);
});
