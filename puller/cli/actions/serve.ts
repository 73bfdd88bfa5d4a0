// SPDX-License-Identifier: Apache-2.0
import { destination, pino } from 'pino';
import { createRegistry } from '../../../registry/index.ts';
import { storeFolder } from '../../store/folders.ts';
import type { Session } from '../context.ts';

export interface ServeOptions {
  listen: { host: string; port: number };
  storage?: string;
  logLevel: string;
}

export async function serve(session: Session, options: ServeOptions): Promise<undefined> {
  // Beside the store, not in it: a store holds nothing of others.
  const root = options.storage ?? `${storeFolder()}-registry`;
  // Standard output says where it listens and nothing else; lines are whole even when the process is killed.
  const logger = pino({ level: options.logLevel, base: null }, destination({ dest: 2, sync: true }));
  const registry = await createRegistry({ storage: { driver: 'filesystem', root }, logger });
  try {
    const { url } = await registry.listen(options.listen);
    session.output.result({ url, storage: root }, () => `listening on ${url}`);
    await new Promise<void>((resolve) => session.signal.addEventListener('abort', () => resolve(), { once: true }));
    session.output.note('stopping: waiting for requests that are under way');
  } finally {
    await registry.close();
  }
}
