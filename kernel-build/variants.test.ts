// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { fragmentsOf } from './variants.ts';

test('what every kernel has comes first, then the variant, then the request, each once', () => {
  expect(fragmentsOf({ variant: 'default', fragments: ['smp', 'net', 'base', 'smp'] })).toEqual([
    'base',
    'guest',
    'ring0',
    'smp',
    'net',
  ]);
  expect(fragmentsOf({ variant: 'ring3', fragments: ['smp'] })).toEqual(['base', 'guest', 'smp']);
});

test("a preset's fragments come beside those of the profile", () => {
  const request = { variant: 'ring3', fragments: ['smp', 'block'] };
  expect(fragmentsOf({ ...request, preset: 'small' })).toEqual(fragmentsOf(request));
  const general = fragmentsOf({ ...request, preset: 'general' });
  expect(general.slice(0, 3)).toEqual(['base', 'guest', 'block']);
  expect(general.at(-1)).toBe('smp');
  expect(general).toContain('general/erofs');
});

test.each(['none', '', 'toString', '__proto__'])('there is no variant %j', (variant) => {
  expect(() => fragmentsOf({ variant, fragments: [] })).toThrowError(
    expect.objectContaining({ code: 'VARIANT_UNKNOWN', hint: 'known variants: default, ring3' }),
  );
});
