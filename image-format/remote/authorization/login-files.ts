// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { baseDirectory } from '../../../hardware-profiles/index.ts';
import { ImageError } from '../../errors.ts';
import type { Credentials } from '../remote.ts';
import { tellCredentialHelper } from './credential-helper.ts';
import { type AuthFile, authFiles, isNamed, keysOf, readAuthFile } from './credentials.ts';

/** A registry, or a namespace of one, that somebody logs in to. */
export interface LoginPlace {
  registry: string;
  /** A repository, or the beginning of its name. */
  namespace?: string;
}

/**
 * Keeps a login where podman, skopeo and uk find it: with the credential helper that the user's files name, else in
 * `$REGISTRY_AUTH_FILE` or `$XDG_CONFIG_HOME/containers/auth.json`, which only the user can read.
 *
 * @returns where it is kept: a file, or the helper's name
 * @throws ImageError `REGISTRY_UNAUTHORIZED`
 */
export async function saveLogin(place: LoginPlace, login: Credentials, env: NodeJS.ProcessEnv): Promise<string> {
  const key = keyOf(place);
  for (const file of authFiles(env)) {
    const content = await readAuthFile(file);
    const helper = content?.credHelpers?.[key] ?? content?.credsStore;
    if (helper === undefined) continue;
    await tellCredentialHelper(helper, key, login, env);
    return `docker-credential-${helper}`;
  }
  const file = env.REGISTRY_AUTH_FILE || join(baseDirectory('XDG_CONFIG_HOME', env), 'containers', 'auth.json');
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  await changeFile(file, (content) => {
    content.auths = { ...content.auths, [key]: { auth } };
    return true;
  });
  return file;
}

/**
 * Forgets a login, in all files and helpers that have it.
 *
 * @returns where it was
 */
export async function removeLogin(place: LoginPlace, env: NodeJS.ProcessEnv): Promise<string[]> {
  const key = keyOf(place);
  const [keys = []] = keysOf(place.registry, place.namespace ?? '');
  const removed: string[] = [];
  for (const file of authFiles(env)) {
    const content = await readAuthFile(file);
    if (content === undefined) continue;
    const helper = content.credHelpers?.[key] ?? content.credsStore;
    if (helper !== undefined) {
      await tellCredentialHelper(helper, key, undefined, env);
      removed.push(`docker-credential-${helper}`);
    }
    const changed = await changeFile(file, (current) => {
      const entries = Object.entries(current.auths ?? {});
      const left = entries.filter(([entry]) => !isNamed(entry, keys));
      current.auths = Object.fromEntries(left);
      return left.length < entries.length;
    });
    if (changed) removed.push(file);
  }
  return removed;
}

function keyOf({ registry, namespace = '' }: LoginPlace): string {
  // The first name of an entry is the one that other tools write.
  const [[key = registry] = []] = keysOf(registry, namespace);
  return namespace === '' ? key : `${registry}/${namespace}`;
}

/** Replaces a file as a whole. What it says of other things stays. */
async function changeFile(file: string, change: (content: AuthFile) => boolean): Promise<boolean> {
  const content = ((await readAuthFile(file)) ?? {}) as AuthFile;
  if (!change(content)) return false;
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return true;
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new ImageError('REGISTRY_UNAUTHORIZED', `cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}
