// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { join } from 'node:path';

export type BaseDirectory = 'XDG_CONFIG_HOME' | 'XDG_CACHE_HOME' | 'XDG_DATA_HOME';

/** Below the home folder, where the variable is not set. */
const DEFAULT: Readonly<Record<BaseDirectory, string>> = {
  XDG_CONFIG_HOME: '.config',
  XDG_CACHE_HOME: '.cache',
  XDG_DATA_HOME: '.local/share',
};

/**
 * One of the user's base directories. A variable with a relative path is ignored (XDG Base Directory Specification,
 * "Basics").
 *
 * @param home default: `$HOME` where it is an absolute path, else the home folder of the user
 */
export function baseDirectory(
  name: BaseDirectory,
  env: NodeJS.ProcessEnv = process.env,
  home: () => string = () => (env.HOME?.startsWith('/') ? env.HOME : homedir()),
): string {
  return absolute(env[name]) ?? join(home(), DEFAULT[name]);
}

/** `$XDG_RUNTIME_DIR`, which has no default; undefined where it is relative, too. */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return absolute(env.XDG_RUNTIME_DIR);
}

function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}
