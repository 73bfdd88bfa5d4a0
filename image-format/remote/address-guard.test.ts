// SPDX-License-Identifier: Apache-2.0
import type { lookup } from 'node:dns';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressGuard } from './address-guard.ts';
import { addressKind } from './address-kind.ts';

test.each([
  ['127.0.0.1', 'local'],
  ['0.0.0.0', 'local'],
  ['169.254.169.254', 'local'],
  ['::1', 'local'],
  ['::', 'local'],
  ['fe80::1%eth0', 'local'],
  ['::ffff:127.0.0.1', 'local'],
  ['::ffff:a9fe:a9fe', 'local'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fd00::1', 'private'],
  ['64:ff9b::a00:1', 'private'],
  ['224.0.0.1', 'private'],
  ['255.255.255.255', 'private'],
  ['172.32.0.1', 'public'],
  ['100.128.0.1', 'public'],
  ['8.8.8.8', 'public'],
  ['2001:4860:4860::8888', 'public'],
])('%s is %s', (address, kind) => {
  expect(addressKind(address)).toBe(kind);
});

test('an address of IPv4 is what it is in IPv6, too', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(addressKind(`::ffff:${address}`)).toBe(addressKind(address));
    }),
  );
});

describe('a registry', () => {
  const names: Record<string, string[]> = {
    'public.example': ['203.0.113.5', '192.0.2.1'],
    'private.example': ['10.0.0.5'],
    'both.example': ['10.0.0.5', '203.0.113.5'],
    'metadata.example': ['169.254.169.254'],
  };
  const resolve = ((name: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(
      null,
      (names[name] ?? []).map((address) => ({ address, family: 4 })),
    )) as unknown as typeof lookup;
  /** @returns why it is refused */
  const refusal = (registry: string, to: string, env = {}): string | undefined => {
    const guard = new AddressGuard(new URL(`https://${registry}`), env, resolve);
    guard.lookupOwn(registry, { all: true }, () => {});
    let refused: string | undefined;
    try {
      guard.check(new URL(to));
    } catch (error) {
      return (error as Error).message;
    }
    guard.lookupOther(new URL(to).hostname, { all: true }, (error) => {
      refused = error?.message;
    });
    return refused;
  };

  test.each([
    [
      'public.example',
      'http://10.1.1.1/x',
      'public.example refers to http://10.1.1.1, an address of a private network',
    ],
    [
      'public.example',
      'http://private.example/',
      'refers to private.example (10.0.0.5), an address of a private network',
    ],
    ['public.example', 'http://both.example/', 'refers to both.example (10.0.0.5)'],
    // What is public in part counts as public: its owner may have added the rest.
    ['both.example', 'http://10.1.1.1/', 'an address of a private network'],
    ['private.example', 'http://metadata.example/', 'an address of this machine or its link'],
    ['unknown.example', 'http://192.168.0.1/', 'an address of a private network'],
  ])('%s must not refer to %s', (registry, to, text) => {
    expect(refusal(registry, to)).toContain(text);
  });

  test.each([
    ['public.example', 'https://public.example/'],
    ['private.example', 'http://10.1.1.1/'],
    ['private.example', 'http://public.example/'],
    ['10.0.0.7:5000', 'http://private.example/'],
    ['localhost:5000', 'http://127.0.0.1:9/'],
  ])('%s may refer to %s', (registry, to) => {
    expect(refusal(registry, to)).toBeUndefined();
  });

  test('may refer to what its user allows', () => {
    expect(refusal('public.example', 'http://10.1.1.1/', { UK_PRIVATE_REDIRECTS: 'allow' })).toBeUndefined();
  });
});
