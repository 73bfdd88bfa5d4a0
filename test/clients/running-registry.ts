// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, type RegistryOptions } from '../../registry/index.ts';

export interface RunningRegistry {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** `127.0.0.1:PORT`, as clients write it. */
  host: string;
  root: string;
  /** What it logged at `error`: a test that breaks nothing expects none. */
  errors: string[];
  /** Ends the server, its folder stays. */
  close(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** A registry on a folder and a port of its own. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
  const root =
    options.storage?.driver === 'filesystem' ? options.storage.root : await mkdtemp(join(tmpdir(), 'uk-registry-'));
  const errors: string[] = [];
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: (_: object, text: string) => void errors.push(text) };
  const registry = await createRegistry({ storage: { driver: 'filesystem', root }, logger, ...options });
  const { url, port } = await registry.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    host: `127.0.0.1:${port}`,
    root,
    errors,
    close: () => registry.close({ graceMs: 1000 }),
    async stop() {
      await registry.close({ graceMs: 1000 });
      await rm(root, { recursive: true, force: true });
    },
  };
}
