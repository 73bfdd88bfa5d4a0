// SPDX-License-Identifier: Apache-2.0
// The program that a worker process runs: answers requests, and does what its primary process says.
import type { Socket } from 'node:net';
import { requestServerOptions } from '../config/registry-options.ts';
import { storageOptions } from '../config/storage-options.ts';
import { RegistryError } from '../errors.ts';
import { RequestServer } from '../http/request-server.ts';
import { createLogger } from '../log.ts';
import type { MetricsSnapshot } from '../operations/metrics.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { openStore } from '../storage/open-store.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { Questions } from './questions.ts';
import { RemoteLocks } from './remote-locks.ts';

type Start = Extract<ToWorker, { type: 'start' }>;

/** The primary process asks all workers, and does not wait for each of them for ever. */
const COUNTED_WITHIN_MS = 8_000;

const locks = new RemoteLocks(say);
const counts = new Questions<MetricsSnapshot[]>(COUNTED_WITHIN_MS);
let running: { server: RequestServer; store: ObjectStore; start: Start } | undefined;

// A terminal and a service manager signal all processes at once; the primary process says what is to be done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Without it nobody keeps the locks, and another server may take the folder.
process.on('disconnect', () => process.exit(1));

process.on('message', (message: ToWorker, socket?: Socket) => {
  switch (message.type) {
    case 'start':
      begin(message).catch(fail);
      break;
    case 'connection':
      accept(message.id, socket);
      break;
    case 'locked':
      locks.answered(message);
      break;
    case 'count':
      count().then((snapshot) => say({ type: 'counted', id: message.id, snapshot }), fail);
      break;
    case 'counted-all':
      counts.answered(message.id, message.snapshots);
      break;
    case 'reload':
      reload();
      break;
    case 'drain':
      running?.server.drain();
      break;
    case 'stop':
      end().catch(fail);
      break;
  }
});

async function begin(start: Start): Promise<void> {
  const { config, claim } = start;
  const store = await openStore(storageOptions(config.storage), {
    recordCacheBytes: config.cache.records,
    ...(claim === undefined ? {} : { share: { claim, locks } }),
  });
  const options = { ...requestServerOptions(config), logger: createLogger(config.log) };
  const server = new RequestServer(store, options, async () => {
    return (await counts.ask((id) => say({ type: 'count-all', id }))) ?? [];
  });
  running = { server, store, start };
  server.begin();
  say({ type: 'ready' });
}

/** One that does not answer requests yet has counted nothing. */
async function count(): Promise<MetricsSnapshot> {
  return running === undefined ? [] : running.server.snapshot();
}

function accept(id: number, socket: Socket | undefined): void {
  say({ type: 'accepted', id });
  // A client that left on the way arrives as nothing.
  if (socket !== undefined) running?.server.accept(socket);
}

function reload(): void {
  try {
    running?.server.reloadCertificate();
  } catch (error) {
    // The old certificate stays in use.
    if (running !== undefined) createLogger(running.start.config.log).error({ err: error }, 'kept the old certificate');
  }
}

async function end(): Promise<void> {
  if (running !== undefined) {
    await running.server.close(running.start.config.connections.grace);
    await running.store.close();
  }
  process.exit(0);
}

function fail(error: unknown): void {
  const coded = error instanceof RegistryError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  say({
    type: 'failed',
    code: coded?.code ?? 'UNEXPECTED',
    message: coded === undefined && error instanceof Error ? (error.stack ?? message) : message,
    ...(coded?.hint === undefined ? {} : { hint: coded.hint }),
  });
  // Only now: what was said has to leave first.
  process.disconnect();
}

function say(message: ToPrimary): void {
  // Where the primary process is gone, this one ends in a moment.
  if (process.connected) process.send?.(message);
}
