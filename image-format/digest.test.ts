// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from './digest.ts';

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('digests', () => {
  test('of bytes, by both algorithms', () => {
    expect(digestOf('')).toBe(`sha256:${EMPTY_SHA256}`);
    expect(digestOf('', 'sha512')).toMatch(/^sha512:cf83e1357eefb8bd[0-9a-f]{112}$/);
  });

  test.each([
    '',
    'sha256:',
    `sha256:${EMPTY_SHA256.toUpperCase()}`,
    `sha256:${EMPTY_SHA256}0`,
    `sha512:${EMPTY_SHA256}`,
    `md5:${EMPTY_SHA256.slice(32)}`,
    `sha256:${EMPTY_SHA256}\n`,
    `sha256:../${EMPTY_SHA256.slice(3)}`,
    `toString:${EMPTY_SHA256}`,
    EMPTY_SHA256,
  ])('%j is none', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
  });

  test('every digest of ours parses, and its parts make it again', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('sha256', 'sha512'), (bytes, algorithm) => {
        const digest = digestOf(bytes, algorithm);
        expect(parseDigest(digest)).toBe(digest);
        expect(`${digestAlgorithm(digest)}:${digestHex(digest)}`).toBe(digest);
      }),
    );
  });

  test('what is accepted is a safe file name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 140 }), (text) => {
        if (isDigest(text)) expect(digestHex(text)).toMatch(/^[0-9a-f]+$/);
      }),
    );
  });
});
