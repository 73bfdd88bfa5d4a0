// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { baseDirectory, runtimeDirectory } from '../../../hardware-profiles/index.ts';
import { ImageError } from '../../errors.ts';
import { DEFAULT_REGISTRY } from '../../reference.ts';
import { type Login, runCredentialHelper } from './credential-helper.ts';

/** What docker, podman and skopeo keep; fields that are of no use here are left alone. */
const authFileSchema = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().optional(),
});

export type AuthFile = z.infer<typeof authFileSchema>;

/** docker login writes Docker Hub's under the first of these names. */
const HUB_KEYS = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io'];

/**
 * What the user has logged in with: `$REGISTRY_AUTH_FILE`, else podman's file, then docker's (`$DOCKER_CONFIG`,
 * `~/.docker`), with their credential helpers. The first that knows the registry counts. In a file, entries for a repository or a
 * namespace (`host/namespace`) come before those for the whole host, the longest first.
 *
 * @param repository without it only entries for the whole host count
 * @returns undefined where nobody logged in
 * @throws ImageError `REGISTRY_UNAUTHORIZED` for a file that is damaged or a helper that fails
 * @see containers-auth.json(5)
 */
export async function findLogin(registry: string, env: NodeJS.ProcessEnv, repository = ''): Promise<Login | undefined> {
  for (const file of authFiles(env)) {
    const content = await readAuthFile(file);
    const login = content === undefined ? undefined : await loginFrom(content, registry, repository, env);
    if (login !== undefined) return login;
  }
  return undefined;
}

export function authFiles(env: NodeJS.ProcessEnv): string[] {
  const home = env.HOME || homedir();
  const docker = join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json');
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE, docker];
  const runtime = runtimeDirectory(env);
  const podman = runtime === undefined ? [] : [join(runtime, 'containers', 'auth.json')];
  const config = baseDirectory('XDG_CONFIG_HOME', env);
  return [...podman, join(config, 'containers', 'auth.json'), docker];
}

export async function readAuthFile(file: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ImageError('REGISTRY_UNAUTHORIZED', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  try {
    return authFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ImageError('REGISTRY_UNAUTHORIZED', `not a file of credentials: ${file}`, {
      cause,
      hint: 'log in again, or repair the file',
    });
  }
}

async function loginFrom(
  file: AuthFile,
  registry: string,
  repository: string,
  env: NodeJS.ProcessEnv,
): Promise<Login | undefined> {
  for (const keys of keysOf(registry, repository)) {
    for (const key of keys) {
      const helper = file.credHelpers?.[key];
      if (helper !== undefined) return await runCredentialHelper(helper, key, env);
    }
    const login = entryFor(file, keys);
    if (login !== undefined) return login;
  }
  const [first] = hostKeys(registry);
  // docker leaves an empty entry in `auths` where its store has the password.
  return file.credsStore && first !== undefined ? await runCredentialHelper(file.credsStore, first, env) : undefined;
}

/** What an entry may be called that is for a repository, for each of the namespaces it is in, and for the host. */
export function keysOf(registry: string, repository: string): string[][] {
  const hosts = registry === DEFAULT_REGISTRY ? HUB_KEYS.slice(1) : [registry, `https://${registry}`];
  const parts = repository.split('/').filter((part) => part !== '');
  const namespaces = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  return [...namespaces.map((namespace) => hosts.map((host) => `${host}/${namespace}`)), hostKeys(registry)];
}

function hostKeys(registry: string): string[] {
  return registry === DEFAULT_REGISTRY ? HUB_KEYS : [registry, `https://${registry}`, `http://${registry}`];
}

function entryFor(file: AuthFile, keys: readonly string[]): Login | undefined {
  const entry = Object.entries(file.auths ?? {}).find(([key]) => isNamed(key, keys))?.[1];
  if (entry?.identitytoken) return { identityToken: entry.identitytoken };
  if (entry?.auth) return decodeBasic(entry.auth);
  if (entry?.username && entry.password !== undefined) return { username: entry.username, password: entry.password };
  return undefined;
}

/** Whether an entry of a file, as some tool wrote it, is called by one of these names. */
export function isNamed(entry: string, keys: readonly string[]): boolean {
  return keys.includes(entry) || keys.includes(entry.replace(/\/(?:v[12]\/?)?$/, ''));
}

function decodeBasic(auth: string): Login | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  return colon <= 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
