// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { ByteRange } from '../storage/contract.ts';

/**
 * A `Range` header against a blob of `size` bytes (RFC 9110 section 14.1.2), clipped to it. Several ranges at once, and
 * units other than bytes, are answered with the whole blob, which the RFC allows.
 *
 * @returns undefined where the whole blob is to be sent
 * @throws RegistryError `RANGE_INVALID` where nothing of the range is in the blob
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = header === undefined ? null : /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end)
    throw new RegistryError('RANGE_INVALID', `the blob has ${size} bytes, and none of them is in the range ${header}`);
  return { start, end };
}

export interface ContentRange {
  start: number;
  /** Bytes. */
  length: number;
}

/**
 * A chunk's `Content-Range`: `<first>-<last>`, without a unit (distribution-spec, "Pushing a blob in chunks"); the form
 * of RFC 9110 with unit and total length is read as well.
 *
 * @throws RegistryError `UPLOAD_INVALID`
 */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes[ =])?([0-9]{1,15})-([0-9]{1,15})(?:\/(?:[0-9]+|\*))?$/i.exec(header.trim());
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || end < start) {
    throw new RegistryError('UPLOAD_INVALID', `${JSON.stringify(header.slice(0, 80))} is not a Content-Range`, {
      hint: 'write the offsets of the first and the last byte, as in 0-1023',
    });
  }
  return { start, length: end - start + 1 };
}
