// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../image-format/index.ts';
import { encodePax } from '../../image-format/layers/pax.ts';
import { BLOCK, encodeUstar, padding } from '../../image-format/layers/ustar.ts';

/** For tests: an entry of a tar archive as any writer may make it. Names are bytes, as in `IndexEntry`. */
export interface TarEntry {
  path: string;
  /** One character of ustar. Default: `0`, a file. */
  typeflag?: string;
  content?: string;
  target?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  major?: number;
  minor?: number;
  xattrs?: Readonly<Record<string, string>>;
}

export function tarOf(entries: readonly TarEntry[]): { bytes: Buffer; diffId: ReturnType<typeof digestOf> } {
  const bytes = Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)]);
  return { bytes, diffId: digestOf(bytes) };
}

function blocksOf(entry: TarEntry): Buffer[] {
  const { path, typeflag = '0', content = '', target = '', mode, uid = 0, gid = 0, major = 0, minor = 0 } = entry;
  const records = new Map<string, Buffer>();
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) {
    records.set(`SCHILY.xattr.${name}`, Buffer.from(value, 'latin1'));
  }
  if (path.length > 100) records.set('path', Buffer.from(path, 'latin1'));
  if (target.length > 100) records.set('linkpath', Buffer.from(target, 'latin1'));
  const body = Buffer.from(content, 'latin1');
  const header = encodeUstar({
    ...{ name: Buffer.from(path.slice(0, 100), 'latin1'), linkname: Buffer.from(target.slice(0, 100), 'latin1') },
    ...{ mode: mode ?? (typeflag === '5' ? 0o755 : 0o644), uid, gid, mtime: 7, typeflag },
    ...{ size: body.length, devmajor: major, devminor: minor },
  });
  return [...extended(records), header, body, Buffer.alloc(padding(body.length))];
}

function extended(records: ReadonlyMap<string, Buffer>): Buffer[] {
  if (records.size === 0) return [];
  const body = encodePax(records);
  const header = encodeUstar({
    ...{ name: Buffer.from('pax'), linkname: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0, mtime: 0 },
    ...{ typeflag: 'x', size: body.length, devmajor: 0, devminor: 0 },
  });
  return [header, body, Buffer.alloc(padding(body.length))];
}
