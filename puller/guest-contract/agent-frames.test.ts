// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentFrameDecoder, encodeAgentFrame, encodeAgentRecords, OPEN_MAX, recordsOf } from './agent-frames.ts';

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 65535 }),
    session: fc.integer({ min: 0, max: 65535 }),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 8 },
);

test('frames are read as they were written, however they are cut', () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 300 }), (all, step) => {
      const bytes = Buffer.concat(all.map(({ type, session, payload }) => encodeAgentFrame(type, session, payload)));
      const decoder = new AgentFrameDecoder(200);
      const read = [];
      for (let at = 0; at < bytes.length; at += step) read.push(...decoder.push(bytes.subarray(at, at + step)));
      expect(read).toEqual(all);
    }),
  );
});

test('no bytes do more than end it with the contract’s error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (pieces) => {
      const decoder = new AgentFrameDecoder(1_000);
      try {
        for (const piece of pieces) for (const frame of decoder.push(Buffer.from(piece))) recordsOf(frame);
      } catch (error) {
        expect(error).toMatchObject({ code: 'GUEST_PROTOCOL' });
      }
    }),
  );
});

test('a length beyond the limit is refused at once, not waited for', () => {
  const header = Buffer.from([0xff, 0xff, 0xff, 0x7f, 103, 0, 1, 0]);
  expect(() => new AgentFrameDecoder(1_000).push(header)).toThrow(/frame of 2147483647 bytes, at most 1000/);
});

test('what cannot be said is refused', () => {
  expect(() => encodeAgentRecords(1, 1, [['arg', 'a\0b']])).toThrow(/NUL/);
  expect(() => encodeAgentRecords(1, 1, [['arg', 'x'.repeat(OPEN_MAX)]])).toThrow(/at most/);
});
