// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';

export const BLOCK = 512;

/** Zeros that fill up the last block of `size` bytes of content. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** POSIX.1-2017 pax, "ustar Interchange Format": field → [offset, length]. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [number, number]>;

export const NAME_LENGTH = FIELD.name[1];
/** What octal digits and a closing NUL can say in a field of 8 and of 12 bytes. */
export const MAX_OCTAL_8 = 0o7777777;
export const MAX_OCTAL_12 = 0o77777777777;

/** One header block; names are bytes, because what they are encoded in is decided elsewhere. */
export interface UstarHeader {
  name: Buffer;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  /** One character. */
  typeflag: string;
  linkname: Buffer;
  devmajor: number;
  devminor: number;
}

/** Writes a header block. All values must fit their fields: what does not goes into a pax header before it. */
export function encodeUstar(header: UstarHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = ([offset, length]: readonly [number, number], value: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
  header.name.copy(block, FIELD.name[0], 0, FIELD.name[1]);
  octal(FIELD.mode, header.mode);
  octal(FIELD.uid, header.uid);
  octal(FIELD.gid, header.gid);
  octal(FIELD.size, header.size);
  octal(FIELD.mtime, header.mtime);
  block.write(header.typeflag, FIELD.typeflag[0], 1, 'latin1');
  header.linkname.copy(block, FIELD.linkname[0], 0, FIELD.linkname[1]);
  block.write('ustar\x0000', FIELD.magic[0], 8, 'latin1');
  octal(FIELD.devmajor, header.devmajor);
  octal(FIELD.devminor, header.devminor);
  const [checksum, length] = FIELD.checksum;
  // Six digits, NUL, space: the form every implementation since the first has written.
  block.write(
    `${checksums(block)
      .unsigned.toString(8)
      .padStart(length - 2, '0')}\0 `,
    checksum,
    length,
    'latin1',
  );
  return block;
}

/**
 * Reads a header block, of POSIX, GNU, star, or the seventh edition.
 *
 * @throws ImageError `LAYER_INVALID`
 */
export function decodeUstar(block: Buffer): UstarHeader {
  const sums = checksums(block);
  const checksum = number(block, 'checksum');
  // Some old implementations added up signed characters.
  if (checksum !== sums.unsigned && checksum !== sums.signed) throw damaged('a header with a wrong checksum');
  const name = string(block, FIELD.name);
  const prefix = string(block, prefixField(block));
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    mode: number(block, 'mode'),
    uid: number(block, 'uid'),
    gid: number(block, 'gid'),
    size: number(block, 'size'),
    mtime: number(block, 'mtime'),
    typeflag: String.fromCharCode(block[FIELD.typeflag[0]] ?? 0),
    linkname: string(block, FIELD.linkname),
    devmajor: optionalNumber(block, 'devmajor'),
    devminor: optionalNumber(block, 'devminor'),
  };
}

/** Only POSIX has a prefix there; GNU keeps times and sparse maps in the same place, star shortens it for times. */
function prefixField(block: Buffer): readonly [number, number] {
  const [offset, length] = FIELD.prefix;
  if (block.toString('latin1', FIELD.magic[0], FIELD.magic[0] + 6) !== 'ustar\0') return [offset, 0];
  return block.toString('latin1', 508, 512) === 'tar\0' ? [offset, 131] : [offset, length];
}

function checksums(block: Buffer): { unsigned: number; signed: number } {
  const [start, length] = FIELD.checksum;
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= start && i < start + length ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return { unsigned, signed };
}

function string(block: Buffer, [offset, length]: readonly [number, number]): Buffer {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Devices' numbers are noise where there is no device; some writers leave spaces or nothing. */
function optionalNumber(block: Buffer, name: 'devmajor' | 'devminor'): number {
  const [offset] = FIELD[name];
  return (block[offset] ?? 0) === 0 ? 0 : number(block, name);
}

function number(block: Buffer, name: keyof typeof FIELD): number {
  const [offset, length] = FIELD[name];
  const field = block.subarray(offset, offset + length);
  const first = field[0] ?? 0;
  const value = first & 0x80 ? base256(field) : octal(field);
  if (value === undefined) throw damaged(`a header whose ${name} is not a number`);
  return value;
}

/** Digits with spaces before and spaces or NULs behind; an empty field is zero. */
function octal(field: Buffer): number | undefined {
  const match = /^ *([0-7]*)[\0 ]*$/.exec(field.toString('latin1'));
  if (match === null) return undefined;
  return match[1] ? Number.parseInt(match[1], 8) : 0;
}

/** GNU's form for what octal cannot say: big endian two's complement, the first bit set. */
function base256(field: Buffer): number | undefined {
  const negative = field[0] === 0xff;
  if (!negative && field[0] !== 0x80) return undefined;
  let value = 0n;
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (negative) value -= 1n << BigInt(8 * (field.length - 1));
  return value >= -BigInt(Number.MAX_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : undefined;
}

export function damaged(what: string): ImageError {
  return new ImageError('LAYER_INVALID', `the layer is not a valid tar archive: it has ${what}`);
}
