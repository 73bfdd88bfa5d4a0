// SPDX-License-Identifier: Apache-2.0
import type { EntryType, LayerEntry } from './entry.ts';
import { encodePax, XATTR_PREFIX } from './pax.ts';
import { openSource } from './source.ts';
import { BLOCK, encodeUstar, MAX_OCTAL_8, MAX_OCTAL_12, NAME_LENGTH, padding } from './ustar.ts';

const TYPEFLAG: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** An entry that may have a time of its own, in seconds since 1970. */
export type TarEntry = LayerEntry & { mtime?: number };

/**
 * The archive of entries that are in order already (see `arrange`). Nothing in it depends on anything but them: no
 * names of users, one time for all that have none of their own, pax headers only for what a plain header cannot say.
 *
 * @param layerMtime seconds since 1970
 */
export async function* writeTar(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  layerMtime: number,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const entry of entries) {
    const { mtime = layerMtime } = entry;
    if (entry.source === undefined) {
      yield headers(entry, 0, mtime);
      continue;
    }
    const source = await openSource(entry.source);
    try {
      yield headers(entry, source.size, mtime);
      yield* source.chunks();
      yield Buffer.alloc(padding(source.size));
    } finally {
      await source.close();
    }
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** The header of an entry, with a pax header before it where it takes one. */
export function headers(entry: LayerEntry, size: number, mtime: number): Buffer {
  const { path, type, mode, uid, gid, linkname = '', devmajor = 0, devminor = 0, xattrs } = entry;
  const name = type === 'directory' ? `${path === '' ? '.' : path}/` : path;
  const pax = new Map<string, Uint8Array>();
  const text = (keyword: string, value: string): Buffer => {
    const bytes = Buffer.from(value);
    const isPlain = bytes.length <= NAME_LENGTH && bytes.every((byte) => byte < 0x80);
    if (!isPlain) pax.set(keyword, bytes);
    return isPlain ? bytes : ascii(value);
  };
  const number = (keyword: string, value: number, max: number): number => {
    if (value <= max) return value;
    pax.set(keyword, Buffer.from(String(value)));
    return 0;
  };
  const header = encodeUstar({
    name: text('path', name),
    mode,
    uid: number('uid', uid, MAX_OCTAL_8),
    gid: number('gid', gid, MAX_OCTAL_8),
    size: number('size', size, MAX_OCTAL_12),
    mtime: number('mtime', mtime, MAX_OCTAL_12),
    typeflag: TYPEFLAG[type],
    linkname: text('linkpath', linkname),
    devmajor: number('SCHILY.devmajor', devmajor, MAX_OCTAL_8),
    devminor: number('SCHILY.devminor', devminor, MAX_OCTAL_8),
  });
  for (const [attribute, value] of xattrs ?? []) pax.set(`${XATTR_PREFIX}${attribute}`, value);
  return pax.size === 0 ? header : Buffer.concat([paxHeader(name, pax, mtime), header]);
}

function paxHeader(name: string, pax: ReadonlyMap<string, Uint8Array>, mtime: number): Buffer {
  const records = encodePax(pax);
  const header = encodeUstar({
    name: ascii(`PaxHeaders/${name.replace(/\/$/, '').replace(/^.*\//s, '')}`),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtime: Math.min(mtime, MAX_OCTAL_12),
    typeflag: 'x',
    linkname: Buffer.alloc(0),
    devmajor: 0,
    devminor: 0,
  });
  return Buffer.concat([header, records, Buffer.alloc(padding(records.length))]);
}

/** What readers that know no pax headers get to see. */
function ascii(value: string): Buffer {
  return Buffer.from(value.replace(/[^\x20-\x7e]/gu, '_').slice(0, NAME_LENGTH));
}
