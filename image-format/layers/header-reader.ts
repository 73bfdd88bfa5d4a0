// SPDX-License-Identifier: Apache-2.0
import type { ImageError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import type { EntryHeader, EntryType } from './entry.ts';
import { cleanPath, decodeBytes, decodeName, printable } from './path-name.ts';
import { decodePax, type PaxRecords, XATTR_PREFIX } from './pax.ts';
import { BLOCK, damaged, decodeUstar, padding, type UstarHeader } from './ustar.ts';

/** The longest extended header that is read into memory: paths are at most 4 KiB, attributes 64 KiB each. */
const MAX_EXTENSION = 1024 * 1024;

const ZEROS = Buffer.alloc(BLOCK);

const ENTRY_TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** Puts together what an entry's header and the extension headers before it say. */
export class HeaderReader {
  readonly #reader: ByteReader;
  readonly #global: PaxRecords = new Map();
  readonly #origin: 'strict' | 'foreign';

  /** @param origin see `ReadLayerOptions` */
  constructor(reader: ByteReader, origin: 'strict' | 'foreign' = 'strict') {
    this.#reader = reader;
    this.#origin = origin;
  }

  /** @returns undefined at the block of zeros that ends the archive */
  async next(): Promise<EntryHeader | undefined> {
    const local: PaxRecords = new Map();
    for (let extended = false; ; extended = true) {
      if (this.#origin === 'foreign' && !extended && (await this.#reader.atEnd())) return undefined;
      const block = await this.#reader.read(BLOCK);
      if (block.equals(ZEROS)) {
        if (extended && local.size > 0) throw damaged('an extended header that belongs to nothing');
        return undefined;
      }
      const header = decodeUstar(block);
      switch (header.typeflag) {
        case 'x':
          for (const [keyword, value] of decodePax(await this.#extension(header))) local.set(keyword, value);
          break;
        case 'g':
          for (const [keyword, value] of decodePax(await this.#extension(header))) this.#global.set(keyword, value);
          break;
        case 'L':
          local.set('path', untilNul(await this.#extension(header)));
          break;
        case 'K':
          local.set('linkpath', untilNul(await this.#extension(header)));
          break;
        default:
          return entry(header, this.#global.size === 0 ? local : new Map([...this.#global, ...local]), this.#origin);
      }
    }
  }

  async #extension({ size }: UstarHeader): Promise<Buffer> {
    if (size < 0 || size > MAX_EXTENSION) throw damaged(`an extended header of ${size} bytes`);
    const bytes = Buffer.from(await this.#reader.read(size));
    await this.#reader.skip(padding(size));
    return bytes;
  }
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function entry(header: UstarHeader, pax: PaxRecords, origin: 'strict' | 'foreign'): EntryHeader {
  const decode = origin === 'strict' ? decodeName : decodeBytes;
  const name = decode(text(pax, 'path') ?? header.name);
  for (const keyword of pax.keys()) {
    if (keyword.startsWith('GNU.sparse.')) throw sparse(printable(name, origin));
  }
  if (header.typeflag === 'S') throw sparse(printable(name, origin));
  const type = ENTRY_TYPES[header.typeflag];
  if (type === undefined) {
    const flag = JSON.stringify(header.typeflag);
    throw damaged(`an entry of the unknown type ${flag}: ${printable(name, origin)}`);
  }
  // The seventh edition had no type for directories.
  const isDirectory = type === 'directory' || (type === 'file' && name.endsWith('/'));
  const path = cleanPath(name);
  if (path === '' && !isDirectory) throw damaged('a file without a name');
  const size = decimal(pax, 'size') ?? header.size;
  if (size < 0) throw damaged(`a file of a negative size: ${name}`);
  const xattrs = extendedAttributes(pax, origin);
  const uid = decimal(pax, 'uid') ?? header.uid;
  const gid = decimal(pax, 'gid') ?? header.gid;
  if (uid < 0 || gid < 0) throw damaged(`a negative owner: ${name}`);
  return {
    path,
    type: isDirectory ? 'directory' : type,
    mode: header.mode & 0o7777,
    uid,
    gid,
    mtime: decimal(pax, 'mtime') ?? header.mtime,
    // Only files have content; what others say of a size is history (a directory's, a link's target's).
    size: type === 'file' && !isDirectory ? size : 0,
    ...(type === 'symlink' || type === 'hardlink' ? { linkname: linkname(header, pax, type, decode) } : {}),
    ...(type === 'character' || type === 'block'
      ? {
          devmajor: decimal(pax, 'SCHILY.devmajor') ?? header.devmajor,
          devminor: decimal(pax, 'SCHILY.devminor') ?? header.devminor,
        }
      : {}),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  };
}

function linkname(
  header: UstarHeader,
  pax: PaxRecords,
  type: 'symlink' | 'hardlink',
  decode: (bytes: Uint8Array) => string,
): string {
  const target = decode(text(pax, 'linkpath') ?? header.linkname);
  const cleaned = type === 'hardlink' ? cleanPath(target) : target;
  if (cleaned === '') throw damaged(`a link to nothing: ${decode(text(pax, 'path') ?? header.name)}`);
  return cleaned;
}

function sparse(name: string): ImageError {
  return damaged(`a sparse file, which no layer may have: ${name}`);
}

/** POSIX: a keyword with an empty value is as if it were not there. */
function text(pax: PaxRecords, keyword: string): Buffer | undefined {
  const value = pax.get(keyword);
  return value === undefined || value.length === 0 ? undefined : value;
}

/** Whole numbers; times may have a fraction, which goes. */
function decimal(pax: PaxRecords, keyword: string): number | undefined {
  const value = text(pax, keyword)?.toString('latin1');
  if (value === undefined) return undefined;
  const number = Math.floor(Number(value));
  if (!/^-?[0-9]+(?:\.[0-9]*)?$/.test(value) || !Number.isSafeInteger(number)) {
    throw damaged(`a pax header whose ${keyword} is not a number`);
  }
  return number;
}

function extendedAttributes(pax: PaxRecords, origin: 'strict' | 'foreign'): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [keyword, value] of pax) {
    if (!keyword.startsWith(XATTR_PREFIX)) continue;
    const name = keyword.slice(XATTR_PREFIX.length);
    found.set(origin === 'strict' ? name : Buffer.from(name).toString('latin1'), value);
  }
  return found;
}
