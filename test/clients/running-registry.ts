// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, type RegistryOptions } from '../../registry/index.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import { freshPrefix } from '../s3/server.ts';

export interface RunningRegistry {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** `127.0.0.1:PORT`, as clients write it. */
  host: string;
  root: string;
  /** What it runs on: the same for a second server. */
  storage: RegistryOptions['storage'];
  /** What it logged at `error`: a test that breaks nothing expects none. */
  errors: string[];
  /** Names of data that was begun, and neither finished nor given up. */
  unfinished(): Promise<string[]>;
  /** Ends the server, its folder stays. */
  close(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** A registry on a port and a folder of its own; in the project `s3`, on a prefix of its own. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
  const root =
    options.storage?.driver === 'filesystem' ? options.storage.root : await mkdtemp(join(tmpdir(), 'uk-registry-'));
  const fallback: RegistryOptions['storage'] =
    process.env.UK_TEST_STORAGE === 's3' ? { driver: 's3', ...freshPrefix() } : { driver: 'filesystem', root };
  const storage = options.storage ?? fallback;
  const errors: string[] = [];
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: (_: object, text: string) => void errors.push(text) };
  const registry = await createRegistry({ logger, ...options, storage });
  const { url, port } = await registry.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    host: `127.0.0.1:${port}`,
    root,
    storage,
    errors,
    async unfinished() {
      if (storage.driver === 'filesystem') return readdir(join(root, 'partial/data'));
      const store = await S3Store.open(storage);
      const found = await Array.fromAsync(store.unfinishedData());
      await store.close();
      return found.map(({ state }) => state.key);
    },
    close: () => registry.close({ graceMs: 1000 }),
    async stop() {
      await registry.close({ graceMs: 1000 });
      await rm(root, { recursive: true, force: true });
    },
  };
}
