// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { baseDirectory } from '../../../hardware-profiles/index.ts';
import { type RegistryHost, readHostsFile } from './hosts-file.ts';

/** Where the machine's own files are; containerd's are read where uk has none. */
const SYSTEM = ['/etc/uk/certs.d', '/etc/containerd/certs.d'];

/**
 * The places that a registry's images are pulled from, by the first `hosts.toml` that there is for it: in `folder`, or else
 * in `$UK_HOSTS_DIR`, or else in `$XDG_CONFIG_HOME/uk/certs.d`, `/etc/uk/certs.d` and `/etc/containerd/certs.d`.
 *
 * @returns undefined where nothing is said of it
 * @throws ImageError `MIRRORS_INVALID`
 */
export async function findHosts(
  registry: string,
  options: { folder?: string | undefined; env: NodeJS.ProcessEnv; plainHttp?: boolean | undefined },
): Promise<RegistryHost[] | undefined> {
  const { env, plainHttp } = options;
  const given = options.folder ?? env.UK_HOSTS_DIR;
  const folders = given ? [given] : [join(baseDirectory('XDG_CONFIG_HOME', env), 'uk', 'certs.d'), ...SYSTEM];
  // containerd: a colon cannot stand in every folder's name.
  const names = [registry, registry.replace(/:(\d+)$/, '_$1_'), '_default'];
  for (const folder of folders) {
    for (const name of new Set(names)) {
      const path = join(folder, name, 'hosts.toml');
      if (await isFile(path)) return await readHostsFile(path, registry, plainHttp);
    }
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
