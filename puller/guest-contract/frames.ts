// SPDX-License-Identifier: Apache-2.0
// docs/guest-contract.md, "Frames on the control port": the node's side.
import { PullerError } from '../errors.ts';

export const FRAME = {
  start: 1,
  signal: 2,
  stdinEnd: 3,
  ping: 4,
  end: 5,
  resize: 6,
  hello: 101,
  started: 102,
  exit: 103,
  failure: 104,
  pong: 105,
} as const;

export const HEADER = 8;
const PAYLOAD_MAX = 4 * 1024 ** 2;

/** `key=value` in the order in which they go out or came in; a key may stand several times. */
export type Records = readonly (readonly [key: string, value: string])[];

export interface Frame {
  type: number;
  records: Records;
}

/** @throws PullerError `IMAGE_UNSUPPORTED` for a value with a NUL byte, or too much of everything */
export function encodeFrame({ type, records }: Frame): Buffer {
  const payload = encodeRecords(records, PAYLOAD_MAX);
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, payload]);
}

/**
 * @param limit most bytes
 * @throws PullerError `IMAGE_UNSUPPORTED` for a value with a NUL byte, or too much of everything
 */
export function encodeRecords(records: Records, limit: number): Buffer {
  const parts = records.map(([key, value]) => {
    if (value.includes('\0')) {
      throw new PullerError('IMAGE_UNSUPPORTED', `an argument or variable holds a NUL byte: ${JSON.stringify(value)}`);
    }
    return Buffer.from(`${key}=${value}\0`);
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > limit) {
    throw new PullerError('IMAGE_UNSUPPORTED', `arguments and environment are ${length} bytes, at most ${limit} fit`, {
      hint: 'give the program a file instead',
    });
  }
  return Buffer.concat(parts);
}

/** Makes frames of a stream of bytes, wherever it is cut. */
export class FrameDecoder {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @returns the frames that are whole now, in order
   * @throws PullerError `GUEST_PROTOCOL`
   */
  push(chunk: Buffer): Frame[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const frames: Frame[] = [];
    while (this.#bytes.length >= HEADER) {
      const length = this.#bytes.readUInt32LE(0);
      if (length > PAYLOAD_MAX || this.#bytes.readUInt16LE(6) !== 0)
        throw damaged('the bytes on the control port are not a frame');
      if (this.#bytes.length < HEADER + length) break;
      const payload = this.#bytes.subarray(HEADER, HEADER + length);
      frames.push({ type: this.#bytes.readUInt16LE(4), records: parseRecords(payload) });
      this.#bytes = this.#bytes.subarray(HEADER + length);
    }
    return frames;
  }
}

/** @throws PullerError `GUEST_PROTOCOL` */
export function parseRecords(payload: Buffer): Records {
  if (payload.length === 0) return [];
  if (payload.at(-1) !== 0) throw damaged('a record without its end');
  return payload
    .subarray(0, -1)
    .toString('utf8')
    .split('\0')
    .map((text) => {
      const match = /^([a-z0-9-]+)=(.*)$/s.exec(text);
      if (match === null) throw damaged('a record without a key');
      return [match[1] ?? '', match[2] ?? ''] as const;
    });
}

/** The first value of that key. */
export function recordOf({ records }: Pick<Frame, 'records'>, key: string): string | undefined {
  return records.find(([name]) => name === key)?.[1];
}

/** @throws PullerError `GUEST_PROTOCOL` where it is missing or no whole number of at most 2^53 */
export function numberOf(frame: Frame, key: string): number {
  const number = Number(wholeNumberOf(frame, key));
  if (!Number.isSafeInteger(number)) throw damaged(`a frame of type ${frame.type} lacks the number "${key}"`);
  return number;
}

/** @throws PullerError `GUEST_PROTOCOL` where it is missing or no whole number of 64 bits */
export function wholeNumberOf(frame: Frame, key: string): bigint {
  const text = recordOf(frame, key) ?? '';
  if (!/^[0-9]{1,20}$/.test(text) || BigInt(text) >> 64n !== 0n)
    throw damaged(`a frame of type ${frame.type} lacks the number "${key}"`);
  return BigInt(text);
}

/** What a guest is told off with. */
export function damaged(what: string): PullerError {
  return new PullerError('GUEST_PROTOCOL', `the guest does not keep to its contract: ${what}`);
}
