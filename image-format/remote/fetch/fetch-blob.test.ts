// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../digest.ts';
import { type ContentStore, openContentStore } from '../../layout/index.ts';
import { openRemote, type RemoteRegistry } from '../index.ts';
import { TestRegistry } from '../testing.ts';
import type { TransferEvent } from '../transfer.ts';
import { CHUNK_SIZE, openLine } from './line.ts';
import { pullBlob } from './pull-blob.ts';

let dir: string;
let store: ContentStore;
let registry: TestRegistry;
let remote: RemoteRegistry;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-fetch-'));
  store = await openContentStore(dir);
  registry = await TestRegistry.start();
  remote = openRemote({ registry: registry.host, backoffMs: 1, attempts: 3, env: {} });
});
afterEach(async () => {
  await remote.close();
  await registry.stop();
  await rm(dir, { recursive: true, force: true });
});

const big = randomBytes(2 * CHUNK_SIZE + 300_000);
const line = () => openLine({ backoffMs: 1, attempts: 3 });
const events: TransferEvent[] = [];
async function pull(signal?: AbortSignal): Promise<void> {
  events.splice(0);
  const onProgress = (event: TransferEvent) => void events.push(event);
  const blob = registry.putBlob(big);
  const to = { repository: 'a/b', remote, store, line: line() };
  await pullBlob(blob, to, { onProgress, ...(signal === undefined ? {} : { signal }) });
  expect(digestOf(await store.read(blob.digest, big.length))).toBe(blob.digest);
}
/** Records the ranges that are asked for. */
function watch(): string[] {
  const ranges: string[] = [];
  const { intercept } = registry;
  registry.intercept = (request, response, body) => {
    ranges.push(request.headers.range ?? 'all');
    return intercept(request, response, body);
  };
  return ranges;
}

const parseRange = (range: string) => {
  const [, first = '0', last = '0'] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  return { start: Number(first), end: Number(last) + 1 };
};

describe('a large blob', () => {
  test('comes in closed ranges', async () => {
    const ranges = watch();
    await pull();
    const asked = ranges.map(parseRange).sort((a, b) => a.start - b.start);
    expect(asked.every(({ end }, i) => end === (asked[i + 1]?.start ?? big.length))).toBe(true);
    expect(Math.max(...asked.map(({ start, end }) => end - start))).toBe(CHUNK_SIZE / 4);
    expect(events.at(-1)).toMatchObject({ phase: 'done', outcome: 'transferred' });
    expect(Math.max(...events.map(({ transferred }) => transferred))).toBe(big.length);
  });

  test.each([
    ['ignores ranges', 200],
    ['refuses ranges', 416],
    ['does not know ranges', 501],
    ['takes a range for a mistake', 400],
  ])('comes from a server that %s in one request more at most', async (_what, status) => {
    registry.intercept = (request, response) => {
      if (request.headers.range === undefined || status === 200) {
        response.writeHead(200, { 'content-length': big.length }).end(big);
      } else {
        response.writeHead(status).end();
      }
      return true;
    };
    const ranges = watch();
    await pull();
    expect(ranges.length).toBe(status === 200 ? 1 : 2);
  });

  test('comes from a server that ignores ranges and is cut again and again, with what was there', async () => {
    let sent = 0;
    registry.intercept = (_request, response) => {
      response.writeHead(200, { 'content-length': big.length });
      sent += CHUNK_SIZE / 2;
      if (sent >= big.length) response.end(big);
      else response.write(big.subarray(0, sent), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await pull();
  });

  test('after a cut nothing comes twice but what was on the way', async () => {
    let bytes = 0;
    let cuts = 0;
    registry.intercept = (request, response) => {
      const [, first = '0', last = String(big.length - 1)] =
        /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const part = big.subarray(Number(first), Number(last) + 1);
      const head = { 'content-length': part.length, 'content-range': `bytes ${first}-${last}/${big.length}` };
      response.writeHead(206, head);
      if (part.length > 1_000_000 && cuts++ < 5) {
        bytes += 900_000;
        response.write(part.subarray(0, 900_000), () => setTimeout(() => response.destroy(), 50));
      } else {
        bytes += part.length;
        response.end(part);
      }
      return true;
    };
    await pull();
    expect(bytes - big.length).toBeLessThan(5 * 900_000);
  });

  test('goes on in a later call, of another server', async () => {
    const abort = new AbortController();
    let sent = 0;
    registry.intercept = (request, response) => {
      const { start, end } = parseRange(request.headers.range ?? '');
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${big.length}` });
      response.write(big.subarray(start, start + 700_000), () => {
        sent += 700_000;
        if (sent === 2_800_000) setTimeout(() => abort.abort(), 100);
      });
      return true;
    };
    await expect(pull(abort.signal)).rejects.toThrow();
    await remote.close();
    await registry.stop();
    registry = await TestRegistry.start();
    remote = openRemote({ registry: registry.host, backoffMs: 1, attempts: 3, env: {} });
    const ranges = watch();
    await pull();
    const total = ranges.map(parseRange).reduce((sum, { start, end }) => sum + end - start, 0);
    // Four ranges were cut, each in a block of 256 KiB.
    expect(total).toBeLessThan(big.length - 2_800_000 + 4 * 262_144);
  });

  test('of a connection that says nothing more the range is asked for again', { timeout: 60_000 }, async () => {
    let asked = 0;
    registry.intercept = (request) => {
      // One is never answered; the others are.
      return request.headers.range !== undefined && ++asked === 3;
    };
    const ranges = watch();
    await pull();
    expect(ranges.length).toBe(new Set(ranges).size + 1);
  });

  test('tokens that expire in the middle are renewed, once for all ranges that find out', async () => {
    let token = 0;
    let uses = 0;
    registry.intercept = (request, response) => {
      if (request.url?.startsWith('/token')) {
        uses = 0;
        response.end(JSON.stringify({ token: `t${++token}` }));
        return true;
      }
      // Each token is good for two ranges, of nine.
      if (request.headers.authorization === `Bearer t${token}` && token > 0 && uses++ < 2) return false;
      const realm = `Bearer realm="http://${registry.host}/token",service="s"`;
      response.writeHead(401, { 'www-authenticate': realm }).end();
      return true;
    };
    await pull();
    expect(token).toBeGreaterThanOrEqual(2);
    expect(token).toBeLessThanOrEqual(10);
  });

  test('wrong bytes get no name and are not kept', async () => {
    const blob = registry.putBlob(big);
    registry.blobs.set(blob.digest, Buffer.alloc(big.length));
    const to = { repository: 'a/b', remote, store, line: line() };
    await expect(pullBlob(blob, to, {})).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await store.stat(blob.digest)).toBeUndefined();
    expect(await store.partlyReceived(blob.digest)).toBe(0);
  });

  test('a server that sends more than the range is refused', async () => {
    registry.intercept = (request, response) => {
      const range = request.headers.range?.replace('bytes=', 'bytes ');
      response.writeHead(206, { 'content-range': `${range}/${big.length}` });
      response.end(big);
      return true;
    };
    await expect(pull()).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });
});
