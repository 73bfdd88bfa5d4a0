// SPDX-License-Identifier: Apache-2.0
import { glob, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parseLdSoCache } from './ld-so-cache.ts';

/** Folders that a glibc may have been built to search; which of them it is does not matter, see `formatLdSoCache`. */
export const GLIBC_DEFAULTS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
];
/** musl, ldso/dynlink.c */
export const MUSL_DEFAULTS = ['/lib', '/usr/local/lib', '/usr/lib'];
/** Names that musl's dynamic linker answers itself (ldso/dynlink.c, `reserved`). */
const MUSL_OWN = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

export function isMuslOwn(name: string): boolean {
  return MUSL_OWN.test(name);
}

export const MUSL_PATH_FILE = '/etc/ld-musl-x86_64.path';

/** Where a dynamic linker looks when the programs themselves do not say. */
export interface SystemSearch {
  /** Absolute paths of a library by that name, first choice first. */
  candidates(name: string): string[];
  /** Whether a library in that folder would be found by its name alone. */
  isSearched(folder: string): boolean;
}

/** As glibc's ld.so: `/etc/ld.so.cache`, then its default folders; without a cache what `ld.so.conf` says. */
export async function glibcSearch(sysroot: string): Promise<SystemSearch> {
  const cache = parseLdSoCache(await readFile(join(sysroot, '/etc/ld.so.cache')).catch(() => Buffer.alloc(0)));
  const byName = new Map<string, string[]>();
  for (const { name, path } of cache) byName.set(name, [...(byName.get(name) ?? []), path]);
  const configured = cache.length === 0 ? await configuredFolders(sysroot, '/etc/ld.so.conf') : [];
  const folders = [...configured, ...GLIBC_DEFAULTS];
  const searched = new Set([...folders, ...cache.map(({ path }) => posix.dirname(path))]);
  return {
    candidates: (name) => [...(byName.get(name) ?? []), ...folders.map((folder) => posix.join(folder, name))],
    isSearched: (folder) => searched.has(folder),
  };
}

/** As musl's: the folders of `/etc/ld-musl-x86_64.path`, or its defaults. */
export async function muslSearch(sysroot: string): Promise<SystemSearch> {
  const text = await readFile(join(sysroot, MUSL_PATH_FILE), 'utf8').catch(() => undefined);
  const folders = text === undefined ? MUSL_DEFAULTS : text.split(/[:\n]/).filter((folder) => folder !== '');
  return {
    candidates: (name) => folders.map((folder) => posix.join(folder, name)),
    isSearched: (folder) => folders.includes(folder),
  };
}

/** ldconfig(8): one folder a line, `include PATTERN`, comments behind `#`. */
async function configuredFolders(sysroot: string, file: string, depth = 0): Promise<string[]> {
  const text = await readFile(join(sysroot, file), 'utf8').catch(() => '');
  const folders: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (word === undefined || word === '') continue;
    if (word === 'include') {
      if (depth < 8)
        folders.push(...(await included(sysroot, posix.resolve(posix.dirname(file), rest[0] ?? ''), depth)));
    } else if (word.startsWith('/')) {
      folders.push(word);
    }
  }
  return folders;
}

async function included(sysroot: string, pattern: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(join(sysroot, pattern))) files.push(file);
  const folders: string[] = [];
  for (const file of files.sort()) {
    folders.push(
      ...(await configuredFolders(sysroot, posix.join('/', file.slice(join(sysroot, '/').length)), depth + 1)),
    );
  }
  return folders;
}
