// SPDX-License-Identifier: Apache-2.0
// The server, or one of its workers, is killed in the middle of many pushes, again and again, while it collects. Clients
// do what clients do: they push again until it worked.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { type Digest, digestOf } from '../../image-format/index.ts';
import { COLLECTION_KEY } from '../../registry/service/keys.ts';
import { call } from './call.ts';
import { EMPTY_JSON, errorCode, manifestOf, pusher } from './content.ts';
import { type ServerProcess, useServers } from './server-process.ts';

const CLIENTS = 200;
const REPOSITORIES = 3;
/** Who is killed in each round. */
const VICTIMS = ['server', 'worker', 'server', 'worker', 'server'] as const;
/** Pushes that are acknowledged between two kills, at least. */
const BETWEEN = 60;

/** So short that collections find blobs whose manifest never came, and others whose manifest is on its way. */
const COLLECTING = ['collection.every=400ms', 'collection.grace=3s', 'collection.settle=0'];

interface Acknowledged {
  repository: string;
  tag: string;
  manifest: Digest;
  layer: Digest;
  size: number;
}

const { serve, folder, workersOf } = useServers();

test('what was acknowledged is there whole, nothing half is visible, and who tries again succeeds', {
  timeout: 300_000,
}, async () => {
  const settings = ['--workers', '2', '--log-level', 'error', ...COLLECTING.flatMap((one) => ['--set', one])];
  let server = await serve(...settings);
  const { url } = server;
  const address = url.replace('http://', '');
  const orphan = await pusher(url).blob('kill/0', 'a blob whose manifest never comes');
  const acknowledged: Acknowledged[] = [];
  let over = false;

  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let at = 0; !over || at === 0; at += 1) {
      const layer = randomBytes(2_000 + client * 300);
      const image = { repository: `kill/${client % REPOSITORIES}`, tag: `c${client}-${at}` };
      const manifest = await pushUntilItWorks(url, image.repository, image.tag, layer);
      acknowledged.push({ ...image, manifest, layer: digestOf(layer), size: layer.length });
    }
  });
  const all = Promise.all(clients);
  // It is awaited at the end; a client that fails before then fails the test there.
  all.catch(() => undefined);

  for (const victim of VICTIMS) {
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + BETWEEN), {
      timeout: 120_000,
      interval: 5,
    });
    if (victim === 'server') {
      server.signal('SIGKILL');
      await server.ended;
      await endLease(join(folder(), 'images'));
      server = await serve(...settings, '--listen', address);
    } else {
      await killWorker(server);
    }
  }
  over = true;
  await all;
  expect(acknowledged.length).toBeGreaterThanOrEqual(CLIENTS);

  for (const { repository, tag, manifest, layer, size } of acknowledged) {
    const byTag = await call(url, { path: `/v2/${repository}/manifests/${tag}` });
    expect([byTag.status, digestOf(byTag.body)]).toEqual([200, manifest]);
    const { status, body } = await call(url, { path: `/v2/${repository}/blobs/${layer}` });
    expect([status, body.length, digestOf(body)]).toEqual([200, size, layer]);
  }
  await expectNothingHalf(url);
  // The collector was at work all the time, and still is.
  await vi.waitFor(async () => expect((await call(url, { path: `/v2/kill/0/blobs/${orphan}` })).status).toBe(404), {
    timeout: 30_000,
    interval: 100,
  });
  expect(server.log()).not.toMatch(/STORAGE_DAMAGED|UNKNOWN/);
});

/** The whole image again, as a client would that knows no more than that something failed. */
async function pushUntilItWorks(url: string, repository: string, tag: string, layer: Buffer): Promise<Digest> {
  for (;;) {
    try {
      const push = pusher(url);
      await push.blob(repository, EMPTY_JSON);
      await push.blob(repository, layer);
      return await push.manifest(repository, tag, manifestOf([layer]));
    } catch (error) {
      if (!isWorthRetrying(error)) throw error;
      await wait(20 + Math.random() * 50);
    }
  }
}

/**
 * No server, a connection that broke, a server that cannot now. And blobs that were collected: the client was away for
 * longer than their time of grace.
 */
function isWorthRetrying(error: unknown): boolean {
  const text = String(error);
  return /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|aborted|503 instead|MANIFEST_BLOB_UNKNOWN/.test(text);
}

/** A collection that was killed is taken for dead after two minutes; here they are over, and the next one goes on. */
async function endLease(root: string): Promise<void> {
  const path = join(root, 'objects', COLLECTION_KEY);
  try {
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), until: 0 }));
  } catch (error) {
    // It was not at work when it was killed.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function killWorker(server: ServerProcess): Promise<void> {
  const workers = workersOf(server.pid);
  const [victim] = workers;
  if (victim === undefined) throw new Error('the server has no workers');
  process.kill(victim, 'SIGKILL');
  await vi.waitFor(
    () => {
      const now = workersOf(server.pid);
      expect([now.length, now.includes(victim)]).toEqual([workers.length, false]);
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** Every tag that is listed has its manifest, and every manifest what it needs. */
async function expectNothingHalf(url: string): Promise<void> {
  for (let at = 0; at < REPOSITORIES; at += 1) {
    const repository = `kill/${at}`;
    const list = await call(url, { path: `/v2/${repository}/tags/list` });
    const { tags } = JSON.parse(list.body.toString()) as { tags: string[] };
    expect(tags.length).toBeGreaterThan(0);
    for (const tag of tags) {
      const manifest = await call(url, { path: `/v2/${repository}/manifests/${tag}` });
      expect(manifest.status === 200 ? '' : errorCode(manifest)).toBe('');
      const { config, layers } = JSON.parse(manifest.body.toString());
      for (const { digest, size } of [config, ...layers]) {
        const { status, headers } = await call(url, { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` });
        expect([status, headers['content-length']]).toEqual([200, String(size)]);
      }
    }
  }
}
