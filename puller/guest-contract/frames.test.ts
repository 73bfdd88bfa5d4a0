// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PullerError } from '../errors.ts';
import { encodeFrame, FRAME, FrameDecoder, numberOf, recordOf, wholeNumberOf } from './frames.ts';

const key = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const frame = fc.record({
  type: fc.integer({ min: 0, max: 65535 }),
  records: fc.array(fc.tuple(key, value), { maxLength: 8 }),
});

test('the bytes of a frame are those of the contract', () => {
  expect(encodeFrame({ type: FRAME.signal, records: [['number', '15']] }).toString('latin1')).toBe(
    '\x0a\0\0\0\x02\0\0\0number=15\0',
  );
  expect(encodeFrame({ type: FRAME.hello, records: [] })).toEqual(Buffer.from([0, 0, 0, 0, 101, 0, 0, 0]));
});

test('frames survive being cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encodeFrame));
        const decoder = new FrameDecoder();
        const found = [];
        for (let at = 0; at < bytes.length; ) {
          const step = cuts.next().value as number;
          found.push(...decoder.push(bytes.subarray(at, at + step)));
          at += step;
        }
        expect(found).toEqual(frames);
      },
    ),
  );
});

test('whatever comes, the decoder gives frames or one kind of error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      const decoder = new FrameDecoder();
      try {
        for (const chunk of chunks) decoder.push(Buffer.from(chunk));
      } catch (error) {
        expect(error).toBeInstanceOf(PullerError);
        expect((error as PullerError).code).toBe('GUEST_PROTOCOL');
      }
    }),
  );
});

describe('refused', () => {
  test.each([
    ['a length above 4 MiB', Buffer.from([1, 0, 0x40, 0, 1, 0, 0, 0])],
    ['a zero field that is not zero', Buffer.from([0, 0, 0, 0, 1, 0, 1, 0])],
    ['a record without NUL', Buffer.from('\x03\0\0\0\x01\0\0\0a=b', 'latin1')],
    ['a record without =', Buffer.from('\x02\0\0\0\x01\0\0\0a\0', 'latin1')],
    ['a key in capitals', Buffer.from('\x04\0\0\0\x01\0\0\0A=b\0', 'latin1')],
  ])('%s', (_name, bytes) => expect(() => new FrameDecoder().push(bytes)).toThrow(/contract/));

  test('a NUL byte in a value', () =>
    expect(() => encodeFrame({ type: 1, records: [['arg', 'a\0b']] })).toThrow(/NUL/));
  test('more than 4 MiB', () =>
    expect(() => encodeFrame({ type: 1, records: [['arg', 'x'.repeat(4 * 1024 ** 2)]] })).toThrow(/fit/));
});

test('records are found by key, the first one wins', () => {
  const found = {
    type: 1,
    records: [
      ['a', '1'],
      ['a', '2'],
      ['b', ''],
      ['c', '-1'],
      ['d', '99999999999999999999'],
    ] as const,
  };
  expect(recordOf(found, 'a')).toBe('1');
  expect(recordOf(found, 'x')).toBeUndefined();
  expect(numberOf(found, 'a')).toBe(1);
  for (const bad of ['b', 'c', 'd', 'x']) expect(() => numberOf(found, bad)).toThrow(/number/);
  for (const bad of ['b', 'c', 'd', 'x']) expect(() => wholeNumberOf(found, bad)).toThrow(/number/);
});

test('numbers of 64 bits', () => {
  const frame = (value: bigint) => ({ type: 1, records: [['tsc', String(value)]] as const });
  expect(wholeNumberOf(frame((1n << 64n) - 1n), 'tsc')).toBe((1n << 64n) - 1n);
  expect(() => wholeNumberOf(frame(1n << 64n), 'tsc')).toThrow(expect.objectContaining({ code: 'GUEST_PROTOCOL' }));
});
