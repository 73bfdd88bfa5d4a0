// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../digest.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import { parseReference } from '../../reference.ts';
import { openRemote, type RemoteOptions, type RemoteRegistry } from '../index.ts';
import { TestRegistry } from '../testing.ts';

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
      hint: expect.stringContaining(`uk login ${registry.host}`),
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
    expect(digestOf(await buffer(mine.fetchBlob('a/b', blob)))).toBe(digestOf(big));
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

  describe('a login that another host asks for is not given', () => {
    let foreign: TestRegistry;
    const bodies: string[] = [];
    beforeEach(async () => {
      bodies.splice(0);
      foreign = await TestRegistry.start('127.0.0.2');
    });
    afterEach(async () => await foreign.stop());

    test.each(['Bearer realm="http://HOST/token",service="s",scope="x"', 'Basic realm="r"'])(
      '%s',
      async (challenge) => {
        const blob = { mediaType: MEDIA_TYPE.layer, digest: digestOf('x'), size: 1 };
        foreign.intercept = (request, response, body) => {
          bodies.push(body.toString());
          if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
          else response.writeHead(401, { 'www-authenticate': challenge.replace('HOST', foreign.host) }).end();
          return true;
        };
        registry.intercept = (request, response) => {
          const there = `http://${foreign.host}/v2/x/blobs/`;
          if (request.headers.authorization === undefined)
            response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
          else if (request.method === 'HEAD') response.writeHead(404).end();
          else if (request.method === 'POST') response.writeHead(202, { location: `${there}uploads/1` }).end();
          else response.writeHead(307, { location: `${there}${blob.digest}` }).end();
          return true;
        };
        const refused = { code: 'REGISTRY_UNAUTHORIZED', message: expect.stringContaining('401') };
        const mine = open({ credentials: { username: 'me', password: 'secret' } });
        await expect(buffer(mine.fetchBlob('a/b', blob))).rejects.toMatchObject(refused);
        await expect(mine.fetchManifest('a/b', '1')).rejects.toMatchObject(refused);
        await expect(mine.pushBlob('a/b', blob, () => Readable.from(['x']))).rejects.toMatchObject(refused);
        expect(foreign.requests.map((request) => request.split('/')[0])).toEqual(['GET ', 'GET ', 'PUT ']);
        expect(foreign.authorizations).toEqual([undefined, undefined, undefined]);
        expect(bodies.join()).not.toContain('secret');
      },
    );
  });
});
