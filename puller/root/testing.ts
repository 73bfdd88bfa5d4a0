// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../image-format/index.ts';

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
  /** Seconds since 1970. Default: 7. */
  mtime?: number;
  major?: number;
  minor?: number;
  xattrs?: Readonly<Record<string, string>>;
}

const BLOCK = 512;

export function tarOf(entries: readonly TarEntry[]): { bytes: Buffer; diffId: Digest } {
  const bytes = Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)]);
  return { bytes, diffId: digestOf(bytes) };
}

function blocksOf(entry: TarEntry): Buffer[] {
  const { path, target = '', xattrs = {} } = entry;
  const records = Object.entries(xattrs).map(([name, value]) => record(`SCHILY.xattr.${name}`, value));
  if (path.length > 100) records.push(record('path', path));
  if (target.length > 100) records.push(record('linkpath', target));
  const extension = records.length === 0 ? [] : [{ path: 'pax', typeflag: 'x', content: records.join('') }];
  return [...extension, entry].flatMap((one) => [header(one), padded(one.content ?? '')]);
}

/** POSIX.1-2017 pax, "pax Header Block": the length counts its own digits too. */
function record(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return `${length}${rest}`;
}

function padded(content: string): Buffer {
  const block = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK);
  block.write(content, 'latin1');
  return block;
}

/** POSIX.1-2017 pax, "ustar Interchange Format". */
function header(entry: TarEntry): Buffer {
  const {
    path,
    typeflag = '0',
    content = '',
    target = '',
    mode,
    uid = 0,
    gid = 0,
    mtime = 7,
    major = 0,
    minor = 0,
  } = entry;
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, offset: number): unknown => block.write(value, offset, 'latin1');
  const octal = (value: number, offset: number, digits: number): unknown =>
    text(value.toString(8).padStart(digits, '0'), offset);
  text(path.slice(0, 100), 0);
  octal(mode ?? (typeflag === '5' ? 0o755 : 0o644), 100, 7);
  octal(uid, 108, 7);
  octal(gid, 116, 7);
  octal(content.length, 124, 11);
  octal(mtime, 136, 11);
  text(typeflag, 156);
  text(target.slice(0, 100), 157);
  text('ustar\x0000', 257);
  octal(major, 329, 7);
  octal(minor, 337, 7);
  text(' '.repeat(8), 148);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}
