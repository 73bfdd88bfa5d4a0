// SPDX-License-Identifier: Apache-2.0
import { damaged } from './ustar.ts';

/** POSIX.1-2017 pax, "pax Header Block": keywords and values; values are bytes (extended attributes are binary). */
export type PaxRecords = Map<string, Buffer>;

export const XATTR_PREFIX = 'SCHILY.xattr.';

/** Records in byte order of their keywords. */
export function encodePax(records: ReadonlyMap<string, Uint8Array>): Buffer {
  const sorted = [...records].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Buffer.concat(sorted.map(([keyword, value]) => record(keyword, value)));
}

/** `<length> <keyword>=<value>\n`, where the length counts its own digits too. */
function record(keyword: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @throws ImageError `LAYER_INVALID` */
export function decodePax(bytes: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  let offset = 0;
  while (offset < bytes.length) {
    const space = bytes.indexOf(0x20, offset);
    const digits = bytes.toString('latin1', offset, space < 0 ? offset : Math.min(space, offset + 10));
    if (!/^[1-9][0-9]{0,8}$/.test(digits)) throw damaged('a pax record without a length');
    const end = offset + Number(digits);
    const equals = bytes.indexOf(0x3d, space + 1);
    if (end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals > end - 2 || equals === space + 1) {
      throw damaged('a pax record that does not end where it says');
    }
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    offset = end;
  }
  return records;
}
