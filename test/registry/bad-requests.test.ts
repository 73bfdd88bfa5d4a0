// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { errorCode, pusher } from './content.ts';
import { CODES } from './error-codes.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const digest = digestOf('x');

beforeAll(async () => {
  registry = await startRegistry();
  await pusher(registry.url).image('a', 't', 'layer');
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  expect((await send({ path: '/v2/' })).status).toBe(200);
  await registry.stop();
});

test('the base says that this is a registry', async () => {
  const answer = await send({ path: '/v2/' });
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'docker-distribution-api-version': 'registry/2.0',
  });
  expect(answer.headers['x-powered-by']).toBeUndefined();
  expect(answer.headers.etag).toBeUndefined();
});

describe('names', () => {
  const names = [
    'A',
    'a//b',
    '..',
    'a/../b',
    '../../etc',
    'a%2fb',
    '%2e%2e',
    'a/',
    'a..b',
    '-a',
    'a-',
    '_blobs',
    'a/_tags',
    '%',
    '%zz',
    'ä',
    'a b',
    'a%00',
    'x'.repeat(300),
  ];
  for (const name of [...names, `${'x/'.repeat(150)}y`, 'x'.repeat(255)]) {
    const shown = name.length > 30 ? `${name.slice(0, 20)}… (${name.length})` : name;
    test(`${shown} are 400 everywhere`, async () => {
      const at = `/v2/${name.includes('ä') || name.includes(' ') ? encodeURI(name) : name}`;
      for (const request of [
        { path: `${at}/manifests/t` },
        { path: `${at}/blobs/${digest}` },
        { path: `${at}/tags/list` },
        { path: `${at}/referrers/${digest}` },
        { path: `${at}/blobs/uploads/`, method: 'POST' },
        { path: `${at}/blobs/uploads/?digest=${digest}`, method: 'POST', body: 'x' },
        { path: `${at}/manifests/t`, method: 'PUT', body: '{}' },
        { path: `${at}/manifests/t`, method: 'DELETE' },
      ]) {
        const answer = await send(request);
        expect([answer.status, errorCode(answer)]).toEqual([400, 'NAME_INVALID']);
      }
    });
  }

  test('may look like routes', async () => {
    for (const name of [
      'manifests',
      'a/manifests/b',
      'blobs/uploads',
      'tags/list',
      'a/blobs/uploads/b',
      'v2',
      'x'.repeat(254),
    ]) {
      const of = await pusher(registry.url).image(name, 't', `layer of ${name}`);
      expect((await send({ path: `/v2/${name}/manifests/t` })).headers['docker-content-digest']).toBe(of);
      expect((await send({ path: `/v2/${name}/blobs/${digestOf(`layer of ${name}`)}` })).status).toBe(200);
      expect(JSON.parse((await send({ path: `/v2/${name}/tags/list` })).body.toString()).name).toBe(name);
    }
  });

  test('a percent-encoded digest is a digest', async () => {
    const path = `/v2/a/blobs/${digestOf('layer').replace(':', '%3A')}`;
    expect((await send({ path })).status).toBe(200);
  });
});

for (const path of [
  '/',
  '/v1/',
  '/v2/a',
  '/v2/a/b/c',
  '/v2/a/manifests/',
  '/v2/a/tags/',
  '/v2/_catalog/x',
  '//v2/',
  '/v2//',
  '/V2/',
  '/v2/a/blobs/x/y',
  '*',
]) {
  test(`${path} is 404`, async () => {
    const answer = await send({ path });
    expect(answer.status).toBe(404);
    expect(CODES).toContain(errorCode(answer));
  });
}

for (const [method, path] of [
  ['POST', '/v2/'],
  ['DELETE', '/v2/_catalog'],
  ['PUT', '/v2/a/tags/list'],
  ['PATCH', `/v2/a/blobs/${digest}`],
  ['POST', '/v2/a/manifests/t'],
  ['GET', '/v2/a/blobs/uploads/'],
  ['OPTIONS', '/v2/a/manifests/t'],
] as const) {
  test(`${method} ${path} is 405`, async () => {
    const answer = await send({ method, path });
    expect([answer.status, errorCode(answer)]).toEqual([405, 'UNSUPPORTED']);
    expect(answer.headers.allow).toMatch(/^[A-Z]+(?:, [A-Z]+)*$/);
  });
}

test('malformed digests are 400', async () => {
  for (const bad of [
    'sha256',
    'x',
    'sha256:',
    'sha256:xyz',
    `sha256:${'a'.repeat(63)}`,
    `SHA256:${'a'.repeat(64)}`,
    'md5:abc',
    '..',
    '%2e%2e%2f',
  ]) {
    const answer = await send({ path: `/v2/a/blobs/${bad}` });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
  }
});

/** Sends bytes that no HTTP client would, and reads until the server closes or answered. */
function raw(text: string): Promise<string> {
  const { port } = new URL(registry.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

test('what is no HTTP is 400, and a body shorter than its length disturbs nobody', async () => {
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  const upload = await pusher(registry.url).upload('a');
  for (const [method, path] of [
    ['PUT', '/v2/a/manifests/short'],
    ['POST', `/v2/a/blobs/uploads/?digest=${digest}`],
    ['PATCH', upload],
  ]) {
    await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort`);
  }
  expect((await send({ path: '/v2/a/manifests/short' })).status).toBe(404);
  const twoLengths = await raw(
    `POST ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
  );
  expect(twoLengths).toMatch(/^HTTP\/1.1 400 /);
});

/** Sends all of a request before it reads anything, as simple clients do. */
function sendThenRead(request: Buffer): Promise<string> {
  const { port } = new URL(registry.direct);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1').pause();
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(request, () => socket.resume());
  });
}

test('a client that sends a large body, and wants the connection closed then, reads the answer', async () => {
  const body = Buffer.alloc(20_000_000, ' ');
  for (const [status, method, path] of [
    [413, 'PUT', '/v2/a/manifests/large'],
    [404, 'PUT', `/v2/a/blobs/uploads/unknown?digest=${digest}`],
    [405, 'PUT', '/v2/a/tags/list'],
    [202, 'POST', '/v2/a/blobs/uploads/'],
    [200, 'GET', '/v2/a/tags/list'],
    [200, 'GET', `/v2/a/blobs/${digestOf('layer')}`],
  ] as const) {
    const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await sendThenRead(Buffer.concat([Buffer.from(head), body]));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status >= 400) expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).errors).toHaveLength(1);
  }
});
