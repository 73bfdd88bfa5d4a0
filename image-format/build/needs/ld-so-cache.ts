// SPDX-License-Identifier: Apache-2.0

/** glibc's dl-cache.h: `struct cache_file_new` and `struct file_entry_new`, little endian. */
const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER = 48;
const ENTRY = 24;
/** FLAG_X8664_LIB64 | FLAG_ELF_LIBC6 */
const X86_64 = 0x0303;
const LITTLE_ENDIAN = 2;

export interface CachedLibrary {
  /** What programs ask for: `libz.so.1`. */
  name: string;
  /** Absolute. */
  path: string;
}

/** The 64-bit x86 libraries of an `/etc/ld.so.cache`, but those for special processors; none if it is damaged. */
export function parseLdSoCache(bytes: Buffer): CachedLibrary[] {
  const base = bytes.indexOf(MAGIC, 0, 'latin1');
  if (base < 0 || bytes.length < base + HEADER) return [];
  const count = bytes.readUInt32LE(base + 20);
  const libraries: CachedLibrary[] = [];
  for (let i = 0; i < count; i++) {
    const at = base + HEADER + i * ENTRY;
    if (at + ENTRY > bytes.length) return libraries;
    if (bytes.readInt32LE(at) !== X86_64 || bytes.readBigUInt64LE(at + 16) !== 0n) continue;
    const name = text(bytes, base + bytes.readUInt32LE(at + 4));
    const path = text(bytes, base + bytes.readUInt32LE(at + 8));
    if (name !== '' && path.startsWith('/')) libraries.push({ name, path });
  }
  return libraries;
}

function text(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return offset >= bytes.length || end < 0 ? '' : bytes.toString('utf8', offset, end);
}

/**
 * An `/etc/ld.so.cache` that holds these libraries. With it a program finds them in whatever folder they are, and at
 * its start asks for each only once.
 */
export function formatLdSoCache(libraries: readonly CachedLibrary[]): Buffer {
  // ld.so searches by halving: the order is its own, from last to first.
  const sorted = [...libraries].sort((a, b) => compareNames(b.name, a.name));
  const strings: Buffer[] = [];
  let next = HEADER + sorted.length * ENTRY;
  const place = (value: string) => {
    const offset = next;
    const bytes = Buffer.from(`${value}\0`);
    strings.push(bytes);
    next += bytes.length;
    return offset;
  };
  const entries = sorted.map(({ name, path }) => {
    const entry = Buffer.alloc(ENTRY);
    entry.writeInt32LE(X86_64, 0);
    entry.writeUInt32LE(place(name), 4);
    entry.writeUInt32LE(place(path), 8);
    return entry;
  });
  const header = Buffer.alloc(HEADER);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(sorted.length, 20);
  header.writeUInt32LE(next - HEADER - sorted.length * ENTRY, 24);
  header.writeUInt8(LITTLE_ENDIAN, 28);
  return Buffer.concat([header, ...entries, ...strings]);
}

/** glibc's `_dl_cache_libcmp`: byte by byte, but runs of digits by their value, and digits after all else. */
export function compareNames(a: string, b: string): number {
  const left = a.match(/\d+|\D/g) ?? [];
  const right = b.match(/\d+|\D/g) ?? [];
  for (let i = 0; i < left.length; i++) {
    const x = left[i] ?? '';
    const y = right[i];
    if (y === undefined) return 1;
    const xIsNumber = /^\d/.test(x);
    const yIsNumber = /^\d/.test(y);
    if (xIsNumber !== yIsNumber) return xIsNumber ? 1 : -1;
    const difference = xIsNumber ? Number(x) - Number(y) : Buffer.compare(Buffer.from(x), Buffer.from(y));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
