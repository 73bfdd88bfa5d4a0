// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { type Expected, VerifiedStream, verifyBytes } from './verified-stream.ts';

const pass = async (pieces: Uint8Array[], expected: Expected) =>
  await buffer(Readable.from(pieces.map((piece) => Buffer.from(piece))).compose(new VerifiedStream(expected)));

describe('VerifiedStream', () => {
  test('lets through what was expected, however it is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1 })),
        fc.constantFrom('sha256', 'sha512'),
        async (pieces, algorithm) => {
          const whole = Buffer.concat(pieces);
          expect(await pass(pieces, { digest: digestOf(whole, algorithm), size: whole.length })).toEqual(whole);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('one byte too many fails before it is passed on', async () => {
    const stream = new VerifiedStream({ digest: digestOf('abc'), size: 3 });
    const seen: Buffer[] = [];
    stream.on('data', (piece: Buffer) => seen.push(piece));
    const failed = new Promise((resolve) => stream.once('error', resolve));
    stream.write('abc');
    stream.write('d');
    expect(await failed).toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(Buffer.concat(seen).toString()).toBe('abc');
  });

  test.each<[string, string, Expected, string]>([
    ['a byte missing', 'ab', { digest: digestOf('abc'), size: 3 }, 'SIZE_MISMATCH'],
    ['another byte', 'abd', { digest: digestOf('abc'), size: 3 }, 'DIGEST_MISMATCH'],
    ['another byte, no size', 'abd', { digest: digestOf('abc') }, 'DIGEST_MISMATCH'],
    ['a size that lies', 'abc', { digest: digestOf('abc'), size: 4 }, 'SIZE_MISMATCH'],
  ])('%s', async (_name, text, expected, code) => {
    await expect(pass([Buffer.from(text)], expected)).rejects.toMatchObject({ code });
    expect(() => verifyBytes(Buffer.from(text), expected)).toThrow(expect.objectContaining({ code }));
  });
});
