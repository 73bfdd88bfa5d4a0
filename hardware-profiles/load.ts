// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseDirectory } from './base-directories.ts';
import { ProfileError } from './errors.ts';
import { type Profile, parseProfile } from './schema.ts';

export const DEFAULT_PROFILE = 'qemu-microvm';

export interface ProfileSearch {
  /** Folders to look in, the first wins. Default: {@link profileFolders}. */
  dirs?: readonly string[];
}

/** The user's own profiles (`$XDG_CONFIG_HOME/uk/profiles`, default `~/.config`), then those that come with uk. */
export function profileFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  return [join(baseDirectory('XDG_CONFIG_HOME', env), 'uk', 'profiles'), import.meta.dirname];
}

/**
 * @param nameOrPath a profile's name, or (with a slash, or ending in `.json`) the path of its file
 * @throws ProfileError `PROFILE_UNKNOWN`, `PROFILE_INVALID`
 */
export async function loadProfile(nameOrPath: string = DEFAULT_PROFILE, search: ProfileSearch = {}): Promise<Profile> {
  if (nameOrPath.includes('/') || nameOrPath.endsWith('.json')) return await readProfile(nameOrPath);
  const found = (await profileFiles(search)).get(nameOrPath);
  if (found !== undefined) return await readProfile(found, nameOrPath);
  const known = [...(await profileFiles(search)).keys()].sort();
  throw new ProfileError(
    'PROFILE_UNKNOWN',
    `no hardware profile is called ${JSON.stringify(nameOrPath.slice(0, 80))}`,
    {
      hint: `known are: ${known.join(', ') || 'none'}`,
    },
  );
}

/** All profiles that can be named, by name. @throws ProfileError `PROFILE_INVALID` */
export async function listProfiles(search: ProfileSearch = {}): Promise<Profile[]> {
  const files = [...(await profileFiles(search))].sort(([a], [b]) => (a < b ? -1 : 1));
  return await Promise.all(files.map(([name, file]) => readProfile(file, name)));
}

async function profileFiles(search: ProfileSearch): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const dir of search.dirs ?? profileFolders()) {
    for (const entry of await filesIn(dir)) {
      if (!entry.endsWith('.json')) continue;
      const name = basename(entry, '.json');
      if (!files.has(name)) files.set(name, join(dir, entry));
    }
  }
  return files;
}

async function filesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ProfileError('PROFILE_UNKNOWN', `cannot list the profiles in ${dir}`, { cause });
  }
}

async function readProfile(file: string, expectedName?: string): Promise<Profile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new ProfileError('PROFILE_UNKNOWN', `cannot read the profile ${file}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const profile = parseProfile(bytes, file);
  if (expectedName !== undefined && profile.name !== expectedName) {
    throw new ProfileError('PROFILE_INVALID', `the profile in ${file} has another name: ${profile.name}`, {
      hint: `name the file ${profile.name}.json`,
    });
  }
  return profile;
}
