// SPDX-License-Identifier: Apache-2.0
import type { ByteReader } from './byte-reader.ts';
import type { EntryHeader, EntryType } from './entry.ts';
import { cleanPath, decodeName } from './path-name.ts';
import { decodePax, type PaxRecords, XATTR_PREFIX } from './pax.ts';
import { BLOCK, damaged, decodeUstar, padding, type UstarHeader } from './ustar.ts';

/** The longest extended header that is read into memory: paths are at most 4 KiB, attributes 64 KiB each. */
const MAX_EXTENSION = 1024 * 1024;

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

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** @returns undefined at the block of zeros that ends the archive */
  async next(): Promise<EntryHeader | undefined> {
    const local: PaxRecords = new Map();
    for (let extended = false; ; extended = true) {
      const block = await this.#reader.read(BLOCK);
      if (block.every((byte) => byte === 0)) {
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
          return entry(header, new Map([...this.#global, ...local]));
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

function entry(header: UstarHeader, pax: PaxRecords): EntryHeader {
  for (const keyword of pax.keys()) {
    if (keyword.startsWith('GNU.sparse.')) throw damaged('a sparse file, which no layer may have');
  }
  const name = decodeName(text(pax, 'path') ?? header.name);
  const type = ENTRY_TYPES[header.typeflag];
  if (type === undefined) throw damaged(`an entry of the unknown type ${JSON.stringify(header.typeflag)}: ${name}`);
  // The seventh edition had no type for directories.
  const isDirectory = type === 'directory' || (type === 'file' && name.endsWith('/'));
  const path = cleanPath(name);
  if (path === '' && !isDirectory) throw damaged('a file without a name');
  const size = decimal(pax, 'size') ?? header.size;
  if (size < 0) throw damaged(`a file of a negative size: ${name}`);
  const xattrs = extendedAttributes(pax);
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
    ...(type === 'symlink' || type === 'hardlink' ? { linkname: linkname(header, pax, type, name) } : {}),
    ...(type === 'character' || type === 'block'
      ? {
          devmajor: decimal(pax, 'SCHILY.devmajor') ?? header.devmajor,
          devminor: decimal(pax, 'SCHILY.devminor') ?? header.devminor,
        }
      : {}),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  };
}

function linkname(header: UstarHeader, pax: PaxRecords, type: 'symlink' | 'hardlink', name: string): string {
  const target = decodeName(text(pax, 'linkpath') ?? header.linkname);
  const cleaned = type === 'hardlink' ? cleanPath(target) : target;
  if (cleaned === '') throw damaged(`a link to nothing: ${name}`);
  return cleaned;
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

function extendedAttributes(pax: PaxRecords): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [keyword, value] of pax) {
    if (keyword.startsWith(XATTR_PREFIX)) found.set(keyword.slice(XATTR_PREFIX.length), value);
  }
  return found;
}
