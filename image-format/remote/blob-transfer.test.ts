// SPDX-License-Identifier: Apache-2.0

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { openRemote, type RemoteOptions, type RemoteRegistry } from './index.ts';
import { TestRegistry } from './testing.ts';

let registry: TestRegistry;
let remote: RemoteRegistry;
const opened: RemoteRegistry[] = [];

function open(options: Partial<RemoteOptions> = {}): RemoteRegistry {
  const next = openRemote({
    registry: registry.host,
    backoffMs: 1,
    attempts: 4,
    env: { HOME: '/nonexistent' },
    ...options,
  });
  opened.push(next);
  return next;
}
beforeEach(async () => {
  registry = await TestRegistry.start();
  remote = open();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await registry.stop();
});

const big = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 7) % 253));

describe('blobs', () => {
  test('are fetched, from an offset too', async () => {
    const blob = registry.putBlob(big);
    expect(digestOf(await buffer(remote.fetchBlob('a/b', blob)))).toBe(digestOf(big));
    expect(digestOf(await buffer(remote.fetchBlob('a/b', blob, { offset: 499_990 })))).toBe(
      digestOf(big.subarray(499_990)),
    );
  });

  test('nothing is asked for before somebody reads', async () => {
    remote.fetchBlob('a/b', registry.putBlob(big)).destroy();
    await remote.hasBlob('a/b', digestOf('x'));
    expect(registry.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  test('a transfer that is cut goes on where it stopped', async () => {
    const blob = registry.putBlob(big);
    let cuts = 0;
    registry.intercept = (request, response) => {
      if (cuts >= 3) return false;
      const start = Number(/^bytes=(\d+)-\d*$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      cuts++;
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': big.length - start,
        etag: '"e"',
        'content-range': `bytes ${start}-${big.length - 1}/${big.length}`,
      });
      response.write(big.subarray(start, start + 100_000), () => setImmediate(() => response.destroy()));
      return true;
    };
    const ranges: (string | undefined)[] = [];
    const { intercept } = registry;
    registry.intercept = (request, response, body) => {
      ranges.push(request.headers.range);
      return intercept(request, response, body);
    };
    expect(digestOf(await buffer(remote.fetchBlob('a/b', blob)))).toBe(digestOf(big));
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-499999$/.test(range ?? ''))).toBe(true);
    expect(ranges).toHaveLength(4);
  });

  test('a server that ignores the range sends everything again; what is there is dropped', async () => {
    const blob = registry.putBlob(big);
    let requests = 0;
    registry.intercept = (_request, response) => {
      requests++;
      response.writeHead(200, { 'content-length': big.length });
      if (requests > 1) response.end(big);
      else response.write(big.subarray(0, 300_000), () => setImmediate(() => response.destroy()));
      return true;
    };
    expect(digestOf(await buffer(remote.fetchBlob('a/b', blob)))).toBe(digestOf(big));
    expect(requests).toBe(2);
  });

  test.each([
    ['another start', 'bytes 7-499999/500000', 'REGISTRY_ERROR'],
    ['another length', 'bytes 10-499999/600000', 'SIZE_MISMATCH'],
    ['no range at all', '', 'REGISTRY_ERROR'],
  ])('a range that was not asked for is refused: %s', async (_name, range, code) => {
    const blob = registry.putBlob(big);
    registry.intercept = (_request, response) => {
      response.writeHead(206, { 'content-range': range }).end(big.subarray(10));
      return true;
    };
    await expect(buffer(remote.fetchBlob('a/b', blob, { offset: 10 }))).rejects.toMatchObject({
      code,
    });
  });

  test('one that is always cut at the same place ends in an error', async () => {
    const blob = registry.putBlob(big);
    registry.intercept = (request, response) => {
      const start = Number(/^bytes=(\d+)-\d*$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': big.length - start,
        'content-range': `bytes ${start}-${big.length - 1}/${big.length}`,
      });
      if (start === 0) response.write(big.subarray(0, 1000), () => setImmediate(() => response.destroy()));
      else response.destroy();
      return true;
    };
    await expect(buffer(remote.fetchBlob('a/b', blob))).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });

  test('another length than the manifest says is refused before it is read', async () => {
    const blob = registry.putBlob(big);
    await expect(buffer(remote.fetchBlob('a/b', { ...blob, size: 5 }))).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
  });

  test('one that ends early without saying so ends in an error', async () => {
    const blob = registry.putBlob(big);
    registry.intercept = (_request, response) => {
      response.writeHead(200).end(big.subarray(0, 10));
      return true;
    };
    await expect(buffer(remote.fetchBlob('a/b', blob))).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
      message: expect.stringContaining('10 of 500000'),
    });
  });

  test('an empty one', async () => {
    expect(await buffer(remote.fetchBlob('a/b', registry.putBlob('')))).toHaveLength(0);
  });

  test('an abort ends the transfer', async () => {
    const blob = registry.putBlob(big);
    const abort = new AbortController();
    registry.intercept = (_request, response) => {
      response.writeHead(200, { 'content-length': big.length }).write(big.subarray(0, 10), () => abort.abort());
      return true;
    };
    await expect(buffer(remote.fetchBlob('a/b', blob, { signal: abort.signal }))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('pushing blobs', () => {
  const blob = { mediaType: MEDIA_TYPE.layer, digest: digestOf(big), size: big.length };
  const source = () => Readable.from([big.subarray(0, 1000), big.subarray(1000)]);

  test('sends what is not there', async () => {
    const progress: number[] = [];
    expect(await remote.pushBlob('a/b', blob, source, { onProgress: (sent) => progress.push(sent) })).toBe('uploaded');
    expect(registry.blobs.get(blob.digest)?.equals(big)).toBe(true);
    expect(progress).toEqual([1000, big.length]);
    expect(
      await remote.pushBlob('a/b', blob, () => {
        throw new Error('read again');
      }),
    ).toBe('exists');
  });

  test('mounts where it can', async () => {
    registry.intercept = (request, response) => {
      if (request.method !== 'POST') return false;
      response
        .writeHead(request.url?.includes(`mount=${encodeURIComponent(blob.digest)}&from=other%2Frepo`) ? 201 : 500)
        .end();
      return true;
    };
    expect(await remote.pushBlob('a/b', blob, source, { mountFrom: 'other/repo' })).toBe('mounted');
  });

  test('begins anew after a failure', async () => {
    let puts = 0;
    registry.intercept = (request, response) => {
      if (request.method !== 'PUT' || ++puts > 2) return false;
      if (puts === 1) response.destroy();
      else response.writeHead(503).end();
      return true;
    };
    expect(await remote.pushBlob('a/b', blob, source)).toBe('uploaded');
    expect(puts).toBe(3);
    expect(registry.blobs.get(blob.digest)?.equals(big)).toBe(true);
  });

  test('finds that it went well when only the answer was lost', async () => {
    let puts = 0;
    registry.intercept = (request, response, body) => {
      if (request.method !== 'PUT') return false;
      puts++;
      registry.blobs.set(blob.digest, body);
      response.destroy();
      return true;
    };
    expect(await remote.pushBlob('a/b', blob, source)).toBe('uploaded');
    expect(puts).toBe(1);
  });

  test('does not repeat what the registry refuses', async () => {
    registry.intercept = (request, response) => {
      if (request.method !== 'PUT') return false;
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"DIGEST_INVALID","message":"no\\nway"}]}');
      return true;
    };
    await expect(remote.pushBlob('a/b', blob, source)).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
      message: expect.stringMatching(/the registry answers \(400: DIGEST_INVALID no way\)$/),
    });
    expect(registry.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  test('a source that cannot be read is that error', async () => {
    const broken = () =>
      Readable.from(
        (async function* () {
          yield big.subarray(0, 10);
          throw new Error('disk');
        })(),
      );
    await expect(remote.pushBlob('a/b', blob, broken)).rejects.toThrow(/disk/);
  });
});
