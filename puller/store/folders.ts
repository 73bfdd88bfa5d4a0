// SPDX-License-Identifier: Apache-2.0
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where images are kept: what `--store` says, else `$UK_STORE`, else `$XDG_DATA_HOME/uk`, else `~/.local/share/uk`.
 *
 * @see the XDG base directory specification
 */
export function storeFolder(given?: string): string {
  const named = given ?? process.env.UK_STORE;
  if (named !== undefined && named !== '') return resolve(named);
  return join(xdg('XDG_DATA_HOME', '.local/share'), 'uk');
}

/** What can be made again: `$XDG_CACHE_HOME/uk`, else `~/.cache/uk`. */
export function cacheFolder(): string {
  return join(xdg('XDG_CACHE_HOME', '.cache'), 'uk');
}

/** The specification wants relative values to be ignored. */
function xdg(name: string, fallback: string): string {
  const value = process.env[name];
  return value?.startsWith('/') ? value : join(home(), fallback);
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
