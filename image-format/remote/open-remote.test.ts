// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { parseReference } from '../reference.ts';
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

const reference = (rest = 'a/b:1') => parseReference(`${registry.host}/${rest}`);
const config = { mediaType: MEDIA_TYPE.config, digest: digestOf('c'), size: 1 };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [] };
const big = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 7) % 253));

describe('manifests', () => {
  test('are resolved by HEAD, fetched by GET', async () => {
    const put = registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    expect(await remote.resolve(reference())).toEqual(put);
    expect((await remote.fetchManifest('a/b', '1')).descriptor).toEqual(put);
    expect((await remote.fetchManifest('a/b', put.digest)).bytes.toString()).toBe(JSON.stringify(manifest));
    expect(registry.requests).toEqual([
      'HEAD /v2/a/b/manifests/1',
      'GET /v2/a/b/manifests/1',
      `GET /v2/a/b/manifests/${put.digest}`,
    ]);
  });

  test('are resolved by GET where a HEAD does not say everything', async () => {
    const put = registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    registry.intercept = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(200).end();
      return true;
    };
    expect(await remote.resolve(reference())).toEqual(put);
  });

  test('must be what was asked for', async () => {
    const put = registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    registry.manifests.set(put.digest, {
      bytes: Buffer.from(JSON.stringify({ ...manifest, layers: [config] })),
      mediaType: MEDIA_TYPE.manifest,
    });
    await expect(remote.fetchManifest('a/b', put.digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('must be what the registry says they are', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE.manifest, 'docker-content-digest': digestOf('other') });
      response.end(JSON.stringify(manifest));
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('that do not exist are NOT_FOUND, with what the registry says', async () => {
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `pulling ${registry.host}/a/b:1: the registry does not have it (404: MANIFEST_UNKNOWN not known)`,
    });
  });

  test('are pushed, and must be stored as they are', async () => {
    const bytes = Buffer.from(JSON.stringify(manifest));
    expect(await remote.pushManifest('a/b', '1', bytes, MEDIA_TYPE.manifest)).toBe(digestOf(bytes));
    expect(registry.manifests.get('1')?.bytes).toEqual(bytes);
    registry.intercept = (_request, response) => {
      response.writeHead(201, { 'docker-content-digest': digestOf('other') }).end();
      return true;
    };
    await expect(remote.pushManifest('a/b', '1', bytes, MEDIA_TYPE.manifest)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  test('of any size are not read into memory', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': MEDIA_TYPE.manifest }).end(Buffer.alloc(5 * 1024 * 1024));
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
  });
});

describe('blobs', () => {
  test('are fetched, from an offset too', async () => {
    const blob = registry.putBlob(big);
    expect(await buffer(remote.fetchBlob('a/b', blob))).toEqual(big);
    expect(await buffer(remote.fetchBlob('a/b', blob, { offset: 499_990 }))).toEqual(big.subarray(499_990));
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
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
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
    expect(await buffer(remote.fetchBlob('a/b', blob))).toEqual(big);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
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
    expect(await buffer(remote.fetchBlob('a/b', blob))).toEqual(big);
    expect(requests).toBe(2);
  });

  test.each([
    ['another start', 'bytes 7-499999/500000'],
    ['another length', 'bytes 10-499999/600000'],
    ['no range at all', ''],
  ])('a range that was not asked for is refused: %s', async (_name, range) => {
    const blob = registry.putBlob(big);
    registry.intercept = (_request, response) => {
      response.writeHead(206, { 'content-range': range }).end(big.subarray(10));
      return true;
    };
    await expect(buffer(remote.fetchBlob('a/b', blob, { offset: 10 }))).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
    });
  });

  test('one that is always cut at the same place ends in an error', async () => {
    const blob = registry.putBlob(big);
    registry.intercept = (request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
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
    expect(registry.blobs.get(blob.digest)).toEqual(big);
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
    expect(registry.blobs.get(blob.digest)).toEqual(big);
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

describe('logging in', () => {
  const tokens: { url: string; authorization: string | undefined; body: string }[] = [];
  beforeEach(() => tokens.splice(0));

  /** Wants a token that its own token server gives, for each scope another. */
  function wantTokens(expiresIn = 300): void {
    registry.intercept = (request, response, body) => {
      const url = new URL(request.url ?? '', `http://${registry.host}`);
      if (url.pathname === '/token') {
        tokens.push({ url: url.search, authorization: request.headers.authorization, body: body.toString() });
        const fields = request.method === 'POST' ? new URLSearchParams(body.toString()) : url.searchParams;
        response.end(
          JSON.stringify({
            token: Buffer.from(fields.getAll('scope').join(' ')).toString('base64url'),
            expires_in: expiresIn,
          }),
        );
        return true;
      }
      const scope = `repository:a/b:${request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push'}`;
      const given = Buffer.from(request.headers.authorization?.replace('Bearer ', '') ?? '', 'base64url').toString();
      if (given.startsWith(scope)) return false;
      response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="http://${registry.host}/token",service="reg",scope="${scope}"`,
        })
        .end();
      return true;
    };
  }

  test('by a token, once per scope, with a password where there is one', async () => {
    wantTokens();
    registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    const mine = open({ credentials: { username: 'me', password: 'x' } });
    await mine.resolve(reference());
    await mine.fetchManifest('a/b', '1');
    await mine.pushManifest('a/b', '2', Buffer.from(JSON.stringify(manifest)), MEDIA_TYPE.manifest);
    expect(tokens.map(({ url }) => url)).toEqual([
      '?service=reg&scope=repository%3Aa%2Fb%3Apull',
      '?service=reg&scope=repository%3Aa%2Fb%3Apull%2Cpush',
    ]);
    expect(tokens[0]?.authorization).toBe(`Basic ${Buffer.from('me:x').toString('base64')}`);
  });

  test('anonymously', async () => {
    wantTokens();
    registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    await open({ credentials: null }).resolve(reference());
    expect(tokens[0]?.authorization).toBeUndefined();
  });

  test('a large upload is not begun without a token', async () => {
    wantTokens();
    await remote.pushBlob('a/b', { mediaType: MEDIA_TYPE.layer, digest: digestOf(big), size: big.length }, () =>
      Readable.from([big]),
    );
    expect(registry.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  test('by Basic', async () => {
    registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    const expected = `Basic ${Buffer.from('me:x').toString('base64')}`;
    registry.intercept = (request, response) => {
      if (request.headers.authorization === expected) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      return true;
    };
    const mine = open({ credentials: { username: 'me', password: 'x' } });
    await mine.resolve(reference());
    await mine.resolve(reference());
    expect(registry.authorizations).toEqual([undefined, expected, expected]);
    await expect(remote.resolve(reference())).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      hint: expect.stringContaining(`podman login ${registry.host}`),
    });
    const wrong = open({ credentials: { username: 'me', password: 'wrong' } });
    await expect(wrong.resolve(reference())).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
  });

  test('a 403 is not asked again', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"not yours"}]}');
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('DENIED not yours'),
    });
    expect(registry.requests).toHaveLength(1);
  });

  test.each(['Bearer realm="nowhere"', 'Bearer realm="file:///etc/passwd"', 'Bearer'])(
    '%s is no place to log in',
    async (header) => {
      registry.intercept = (_request, response) => {
        response.writeHead(401, { 'www-authenticate': header }).end();
        return true;
      };
      await expect(remote.resolve(reference())).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
    },
  );
});

describe('redirects', () => {
  let other: TestRegistry;
  beforeEach(async () => {
    other = await TestRegistry.start();
  });
  afterEach(async () => await other.stop());

  test('are followed for blobs; what authorizes goes to the registry only', async () => {
    const blob = other.putBlob(big);
    registry.intercept = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else response.writeHead(307, { location: `http://${other.host}/v2/x/blobs/${blob.digest}?signature=1` }).end();
      return true;
    };
    const mine = open({ credentials: { username: 'me', password: 'x' } });
    expect(await buffer(mine.fetchBlob('a/b', blob))).toEqual(big);
    expect(other.requests).toEqual([`GET /v2/x/blobs/${blob.digest}?signature=1`]);
    expect(other.authorizations).toEqual([undefined]);
  });

  test('have an end', async () => {
    registry.intercept = (request, response) => {
      response.writeHead(302, { location: request.url }).end();
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
      message: expect.stringContaining('redirects'),
    });
  });

  test('to what is no HTTP are refused', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
  });

  test('an upload may go elsewhere, without what authorizes', async () => {
    const blob = { mediaType: MEDIA_TYPE.layer, digest: digestOf('x'), size: 1 };
    registry.intercept = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else if (request.method === 'HEAD') response.writeHead(404).end();
      else response.writeHead(202, { location: `http://${other.host}/v2/x/blobs/uploads/1` }).end();
      return true;
    };
    const mine = open({ credentials: { username: 'me', password: 'x' } });
    expect(await mine.pushBlob('a/b', blob, () => Readable.from(['x']))).toBe('uploaded');
    expect(other.authorizations).toEqual([undefined]);
  });
});

describe('what is no registry', () => {
  test('nobody there', async () => {
    const { host } = registry;
    await registry.stop();
    await expect(remote.resolve(parseReference(`${host}/a:1`))).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: `no registry answers at http://${host} (connection refused)`,
      hint: `start one: uk registry serve --listen ${host} --storage DIR`,
    });
    registry = await TestRegistry.start();
  });

  test('a web page', async () => {
    for (const status of [200, 404, 403]) {
      registry.intercept = (_request, response) => {
        response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html><h1>Hello</h1>');
        return true;
      };
      await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({
        code: 'REGISTRY_ERROR',
        message: expect.stringContaining(`${registry.host} is not a registry`),
      });
    }
  });

  test('something that does not speak HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(open({ registry: host }).fetchManifest('a/b', '1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    server.close();
  });

  test('a registry without TLS where TLS was meant', async () => {
    await expect(open({ plainHttp: false }).fetchManifest('a/b', '1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('does not speak TLS'),
      hint: expect.stringContaining('--plain-http'),
    });
  });

  test('control characters in its answers do not reach the terminal', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(400).end('\u001b[2Jfake\r\nprompt');
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({
      message: expect.stringMatching(/\(400: \[2Jfake prompt\)$/),
    });
  });
});

describe('patience', () => {
  test('what may be over in a moment is tried again', async () => {
    const put = registry.putManifest('1', manifest, MEDIA_TYPE.manifest);
    let requests = 0;
    registry.intercept = (_request, response) => {
      if (++requests > 3) return false;
      if (requests === 1) response.destroy();
      else response.writeHead(requests === 2 ? 503 : 429, { 'retry-after': '0' }).end();
      return true;
    };
    expect((await remote.fetchManifest('a/b', '1')).descriptor).toEqual(put);
  });

  test('but not for ever', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(remote.fetchManifest('a/b', '1')).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
    expect(registry.requests).toHaveLength(4);
  });
});

describe('tags', () => {
  test('of all pages', async () => {
    registry.intercept = (request, response) => {
      const last = new URL(request.url ?? '', 'http://x').searchParams.get('last');
      if (last === null) response.setHeader('link', '</v2/a/b/tags/list?last=2&n=2>; rel="next"');
      response.end(JSON.stringify({ name: 'a/b', tags: last === null ? ['1', '2'] : ['3'] }));
      return true;
    };
    expect(await remote.listTags('a/b')).toEqual(['1', '2', '3']);
  });

  test('that are null, or no list', async () => {
    let answer = '{"name":"a/b","tags":null}';
    registry.intercept = (_request, response) => {
      response.end(answer);
      return true;
    };
    expect(await remote.listTags('a/b')).toEqual([]);
    answer = '{"tags":"x"}';
    await expect(remote.listTags('a/b')).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
  });
});
