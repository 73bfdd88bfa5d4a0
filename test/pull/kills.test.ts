// SPDX-License-Identifier: Apache-2.0
// `uk pull` killed at random points. Each run goes on where the last one stopped, and nothing is named before it is whole.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';
import { CHUNK_SIZE } from '../../image-format/remote/fetch/line.ts';
import { TestRegistry } from '../../image-format/remote/testing.ts';
import { putSample } from './sample.ts';

const kills = Number(process.env.UK_TEST_KILLS ?? 6);
const uk = resolve(import.meta.dirname, '../../puller/cli/main.ts');
const MB = 1024 * 1024;
let registry: TestRegistry;
let dir: string;
/** Bytes of blobs that the registry has handed to its sockets. */
let sent = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-kills-'));
  registry = await TestRegistry.start();
});
afterAll(async () => {
  await registry.stop();
  await rm(dir, { recursive: true, force: true });
});

/** @returns the exit status, or undefined when it was killed */
async function pull(name: string, killAfterBytes?: number): Promise<number | undefined> {
  const before = sent;
  const child = spawn(process.execPath, [uk, '--store', join(dir, 'store'), '-q', 'pull', name], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const timer = setInterval(() => {
    if (killAfterBytes !== undefined && sent - before >= killAfterBytes) child.kill('SIGKILL');
  }, 1);
  const status = await ended;
  clearInterval(timer);
  return status ?? undefined;
}

test(`killed ${kills} times`, { timeout: 60_000 + kills * 10_000 }, async () => {
  let left = kills;
  for (let round = 0; left > 0; round++) {
    const sizes = [64 * MB, 3 * MB, 100_000];
    const { manifest, config, layers } = putSample(registry, sizes, String(round));
    const blobs = [config, ...layers];
    const total = blobs.reduce((sum, { size }) => sum + size, 0);
    registry.intercept = (request, response) => slowly(request.url ?? '', request.headers.range, response);
    sent = 0;
    let killed = 0;
    const name = `${registry.host}/a/b:${round}`;
    // Up to three cuts of each image, at random.
    for (; killed < 3 && left > 0; killed++, left--) {
      const status = await pull(name, Math.floor(Math.random() * (total / 4)));
      if (status !== undefined) break;
      const store = await openContentStore(join(dir, 'store'));
      expect(await store.resolve(name)).toBeUndefined();
    }
    expect(await pull(name)).toBe(0);
    console.log(`${killed} kills: ${((sent - total) / MB / killed).toFixed(1)} MiB twice for each`);
    expect(sent - total).toBeLessThanOrEqual(killed * CHUNK_SIZE);
    const store = await openContentStore(join(dir, 'store'));
    expect(await store.resolve(name)).toEqual(manifest);
    for (const { digest, size } of blobs) expect(digestOf(await store.read(digest, size))).toBe(digest);
    expect(await readdir(join(dir, 'store', 'partial'))).toEqual([]);
    await store.untag(name);
    await store.collect({ graceMs: 0 });
  }
});

/** Sends blobs at a pace that leaves time to be killed in, and at which nothing waits in the buffers of sockets. */
function slowly(url: string, range: string | undefined, response: import('node:http').ServerResponse): boolean {
  const bytes = registry.blobs.get(/\/blobs\/(.*)$/.exec(url)?.[1] ?? '');
  if (bytes === undefined) return false;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
  const head = { 'content-length': part.length };
  if (first === undefined) response.writeHead(200, head);
  else response.writeHead(206, { ...head, 'content-range': `bytes ${first}-${last}/${bytes.length}` });
  let at = 0;
  const step = () => {
    if (response.destroyed) return;
    const piece = part.subarray(at, at + 65_536);
    at += piece.length;
    sent += piece.length;
    if (at >= part.length) response.end(piece);
    else if (response.write(piece)) setTimeout(step, 20);
    else response.once('drain', step);
  };
  step();
  return true;
}
