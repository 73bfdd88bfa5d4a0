// SPDX-License-Identifier: Apache-2.0
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { baseDirectory } from '../../hardware-profiles/base-directories.ts';

/**
 * Where images are kept: what `--store` says, else `$UK_STORE`, else `$XDG_DATA_HOME/uk`, else `~/.local/share/uk`.
 *
 * @see the XDG base directory specification
 */
export function storeFolder(given?: string): string {
  const named = given ?? process.env.UK_STORE;
  if (named !== undefined && named !== '') return resolve(named);
  return join(baseDirectory('XDG_DATA_HOME', process.env, home), 'uk');
}

/** Where named volumes are kept: a folder of the store, see {@link storeFolder}. */
export function volumesFolder(store?: string): string {
  return join(storeFolder(store), 'volumes');
}

/** Where the records of instances are kept: a folder of the store, see {@link storeFolder}. */
export function instancesFolder(store?: string): string {
  return join(storeFolder(store), 'instances');
}

/** What can be made again: `$XDG_CACHE_HOME/uk`, else `~/.cache/uk`. */
export function cacheFolder(): string {
  return join(baseDirectory('XDG_CACHE_HOME', process.env, home), 'uk');
}

function home(): string {
  const { HOME } = process.env;
  if (HOME?.startsWith('/')) return HOME;
  try {
    return userInfo().homedir;
  } catch (cause) {
    const hint = 'set HOME, or XDG_DATA_HOME and XDG_CACHE_HOME';
    throw Object.assign(new Error('this user has no home folder', { cause }), { code: 'HOME_UNKNOWN', hint });
  }
}
