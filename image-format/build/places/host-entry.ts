// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { LayerEntry } from '../../layers/index.ts';
import { readXattrs } from './host-xattrs.ts';

/** What of this machine's file system goes into a layer. */
export interface HostEntry {
  host: string;
  stats: Stats;
  entry: LayerEntry;
}

/**
 * The entry for one file, link, folder or node of this machine. Owners are kept (a service's folder belongs to its
 * user), but what belongs to the ordinary user who builds becomes root's: who built an image is not part of it.
 *
 * @throws ImageError `SOURCE_INVALID`
 */
export async function hostEntry(host: string, path: string): Promise<HostEntry> {
  return await entryOf(host, path, await statsOf(host));
}

async function statsOf(host: string): Promise<Stats> {
  return await lstat(host).catch((cause) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ImageError('SOURCE_INVALID', `${missing ? 'no such file' : 'cannot read'}: ${host}`, { cause });
  });
}

async function entryOf(host: string, path: string, stats: Stats): Promise<HostEntry> {
  const builder = process.getuid?.() ?? 0;
  const own = builder !== 0 && stats.uid === builder;
  const common = {
    path,
    mode: stats.mode & 0o7777,
    uid: own ? 0 : stats.uid,
    gid: own ? 0 : stats.gid,
  };
  return { host, stats, entry: await describe(host, stats, common) };
}

async function describe(
  host: string,
  stats: Stats,
  common: Pick<LayerEntry, 'path' | 'mode' | 'uid' | 'gid'>,
): Promise<LayerEntry> {
  if (stats.isFile()) return { ...common, type: 'file', source: { file: host } };
  if (stats.isDirectory()) return { ...common, type: 'directory' };
  if (stats.isSymbolicLink()) return { ...common, type: 'symlink', mode: 0o777, linkname: await linkText(host) };
  if (stats.isFIFO()) return { ...common, type: 'fifo' };
  if (stats.isCharacterDevice() || stats.isBlockDevice()) {
    const type = stats.isBlockDevice() ? 'block' : 'character';
    return { ...common, type, ...deviceNumbers(stats.rdev) };
  }
  throw new ImageError('SOURCE_INVALID', `a socket cannot stand in an image: ${host}`);
}

async function linkText(host: string): Promise<string> {
  return textOf(await readlink(host, { encoding: 'buffer' }), `the target of the link ${host}`);
}

/** Layers of uk have names of UTF-8 only. @throws ImageError `SOURCE_INVALID` */
function textOf(bytes: Buffer, what: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new ImageError('SOURCE_INVALID', `${what} is not UTF-8: ${escaped(bytes)}`, {
    hint: 'rename it; layers of uk hold names of UTF-8 only',
  });
}

/** As a shell's $'…' has it: a byte that is no ASCII character is written as \\xNN. */
function escaped(bytes: Buffer): string {
  const text = bytes.toString('latin1').replaceAll(/[^ -~]|['\\]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x7f && code >= 0x20 ? `\\${character}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
  return `$'${text}'`;
}

/** glibc's gnu_dev_major and gnu_dev_minor (sys/sysmacros.h). */
function deviceNumbers(rdev: number): { devmajor: number; devminor: number } {
  const device = BigInt(rdev);
  const devmajor = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
  const devminor = Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
  return { devmajor, devminor };
}

/** As `hostEntry`, with the extended attributes of a file; those of a folder's files `readXattrs` reads all at once. */
export async function hostEntryWithXattrs(host: string, path: string): Promise<HostEntry> {
  const found = await hostEntry(host, path);
  const xattrs = found.stats.isFile() ? (await readXattrs(host)).get(host) : undefined;
  return xattrs === undefined ? found : { ...found, entry: { ...found.entry, xattrs } };
}

/**
 * A folder and all that is in it, in order of names; links in it stay links.
 *
 * @param wanted what to take: `all` of it, the entry `alone` without what is in it, or `nothing`. Default: all
 */
export async function* hostTree(
  host: string,
  path: string,
  wanted: (host: string, stats: Stats) => 'all' | 'alone' | 'nothing' = () => 'all',
): AsyncGenerator<HostEntry, void, undefined> {
  const stats = await statsOf(host);
  const amount = wanted(host, stats);
  if (amount === 'nothing') return;
  yield await entryOf(host, path, stats);
  if (!stats.isDirectory() || amount === 'alone') return;
  const names = await readdir(host, { encoding: 'buffer' }).catch((cause) => {
    throw new ImageError('SOURCE_INVALID', `cannot list ${host}: ${(cause as Error).message}`, { cause });
  });
  for (const name of names.map((bytes) => textOf(bytes, `the name of a file in ${host}`)).sort())
    yield* hostTree(join(host, name), path === '' ? name : `${path}/${name}`, wanted);
}
