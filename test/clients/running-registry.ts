// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, type RegistryOptions } from '../../registry/index.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import { roundRobin } from '../s3/round-robin.ts';
import { freshPrefix } from '../s3/server.ts';

export interface RunningRegistry {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** The same of one server itself, where several take turns behind {@link url}. */
  direct: string;
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

/** A registry on a port and a folder of its own; in the project `s3`, several behind a balancer, on a prefix. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
  const root =
    options.storage?.driver === 'filesystem' ? options.storage.root : await mkdtemp(join(tmpdir(), 'uk-registry-'));
  const fallback: RegistryOptions['storage'] =
    process.env.UK_TEST_STORAGE === 's3' ? { driver: 's3', ...freshPrefix() } : { driver: 'filesystem', root };
  const storage = options.storage ?? fallback;
  const errors: string[] = [];
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: (_: object, text: string) => void errors.push(text) };
  // The balancer speaks no TLS.
  const several = storage.driver === 's3' && options.tls === undefined;
  const count = several ? Number(process.env.UK_TEST_REPLICAS ?? 1) : 1;
  const replicas = await Promise.all(
    Array.from({ length: count }, async () => {
      const registry = await createRegistry({ logger, ...options, storage });
      return { registry, ...(await registry.listen({ host: '127.0.0.1', port: 0 })) };
    }),
  );
  const balancer = count > 1 ? await roundRobin(() => replicas.map(({ url }) => url)) : undefined;
  const url = balancer?.url ?? replicas[0]?.url ?? '';
  const { port } = new URL(url);
  const close = async () => {
    await balancer?.close();
    await Promise.all(replicas.map(({ registry }) => registry.close({ graceMs: 1000 })));
  };
  return {
    url,
    direct: replicas[0]?.url ?? url,
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
    close,
    async stop() {
      await close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
