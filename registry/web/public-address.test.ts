// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { publicAddress } from './public-address.ts';

test.each([
  [{ host: 'localhost:5000' }, { host: 'localhost:5000', secure: false }],
  [{ host: '[::1]:5000' }, { host: '[::1]:5000', secure: false }],
  [
    { host: 'inside:5000', 'x-forwarded-host': 'r.example.com', 'x-forwarded-proto': 'https' },
    { host: 'r.example.com', secure: true },
  ],
  [
    { host: 'inside:5000', 'x-forwarded-host': 'r.example.com, other', 'x-forwarded-proto': 'https, http' },
    { host: 'r.example.com', secure: true },
  ],
  [
    { host: 'inside', forwarded: 'for=1.2.3.4;host="r.example.com:8443";proto=https, for=5.6.7.8;host=x' },
    { host: 'r.example.com:8443', secure: true },
  ],
  [
    { host: 'ok:1', 'x-forwarded-host': '"><script>' },
    { host: 'ok:1', secure: false },
  ],
  [{ host: 'a b; rm -rf /' }, { host: 'localhost', secure: false }],
  [{}, { host: 'localhost', secure: false }],
])('%j', (headers, expected) => expect(publicAddress(headers, { secure: false })).toEqual(expected));

test('a setting goes before everything', () => {
  expect(publicAddress({ host: 'x' }, { host: 'r.example.com/cache', secure: true })).toEqual({
    host: 'r.example.com/cache',
    secure: true,
  });
});
