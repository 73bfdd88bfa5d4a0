// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { Addresses, formatNamed, parseNamed } from './addresses.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('addresses', () => {
  test.each([
    ['/', './r/a/b'],
    ['/space', './r/a/b'],
    ['/r/x', '../r/a/b'],
    ['/r/team/x:1/-/files', '../../../../r/a/b'],
  ])('from %s a repository is at %s', (path, expected) => {
    const address = Addresses.at(path).repository('a/b');
    expect(address).toBe(expected);
    expect(new URL(address, `https://h.example/prefix${path}`).pathname).toBe('/prefix/r/a/b');
  });

  test('an image is at its reference', () => {
    const addresses = Addresses.at('/');
    expect(addresses.image({ repository: 'a/b', reference: '1.0' })).toBe('./r/a/b:1.0');
    expect(addresses.image({ repository: 'a/b', reference: DIGEST })).toBe(`./r/a/b@${DIGEST}`);
    expect(addresses.imagePart({ repository: 'a', reference: '1' }, 'files', { path: 'a b/&', layer: 0 })).toBe(
      './r/a:1/-/files?path=a+b%2F%26&layer=0',
    );
  });

  test.each(['team/app:1.0', `team/app@${DIGEST}`])('%s is read as it was written', (text) => {
    const named = parseNamed(text);
    expect(named && formatNamed(named)).toBe(text);
  });

  test.each(['team/app', '', ':1'])('%j names no manifest', (text) => expect(parseNamed(text)).toBeUndefined());
});
