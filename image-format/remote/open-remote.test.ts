// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
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
