// SPDX-License-Identifier: Apache-2.0
import { findHosts } from './mirrors/find-hosts.ts';
import { MirroredSource } from './mirrors/mirrored-source.ts';
import { openRemote } from './open-remote.ts';
import type { PullSource, RemoteOptions } from './remote.ts';

export interface SourceOptions extends RemoteOptions {
  /** The folder of `<host>/hosts.toml`. Default: see `findHosts`. */
  hostsFolder?: string;
}

/**
 * Where a registry's images are pulled from: the mirrors that `hosts.toml` names, or the registry itself.
 *
 * @throws ImageError `MIRRORS_INVALID`
 */
export async function openSource(options: SourceOptions): Promise<PullSource & { close(): Promise<void> }> {
  const { registry, hostsFolder: folder, plainHttp } = options;
  const env = options.env ?? process.env;
  const hosts = await findHosts(registry, { folder, env, plainHttp });
  if (hosts === undefined) return openRemote(options);
  return new MirroredSource(registry, hosts, (host, isLast) =>
    openRemote({
      ...options,
      registry: host.name,
      host,
      // What fails at one host is asked of the next, at once.
      ...(isLast ? {} : { attempts: 1 }),
    }),
  );
}
