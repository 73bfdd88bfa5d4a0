// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRegistry, type RegistryOptions } from '../../registry/index.ts';

const VARIABLE = 'UK_TEST_REPLICA';

/** A registry in a process of its own, which shares nothing with others but the bucket. */
export interface Replica {
  url: string;
  /** What it logged as errors. */
  errors: string[];
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export async function startReplica(storage: RegistryOptions['storage']): Promise<Replica> {
  const child: ChildProcess = fork(import.meta.filename, {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [VARIABLE]: JSON.stringify(storage) },
  });
  const errors: string[] = [];
  const listening = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { url: string } | { error: string }) => {
      if ('url' in message) resolve(message.url);
      else errors.push(message.error);
    });
    child.once('exit', (code) => reject(new Error(`the replica ended with ${code}`)));
  });
  return {
    url: await listening,
    errors,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

async function serve(storage: RegistryOptions['storage']): Promise<void> {
  const quiet = () => undefined;
  const error = (_: object, text: string) => void process.send?.({ error: text });
  const registry = await createRegistry({ storage, logger: { debug: quiet, info: quiet, warn: quiet, error } });
  process.send?.({ url: (await registry.listen({ host: '127.0.0.1', port: 0 })).url });
  process.once('SIGTERM', async () => {
    await registry.close({ graceMs: 1000 });
    process.exit(0);
  });
  // Whoever started it is gone.
  process.once('disconnect', () => process.exit(1));
}

const storage = process.env[VARIABLE];
if (storage !== undefined && process.argv[1] === import.meta.filename) await serve(JSON.parse(storage));
