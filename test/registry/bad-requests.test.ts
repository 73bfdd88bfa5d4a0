// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { errorCode, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const digest = digestOf('x');

/** A 4xx may have no other (distribution-spec, "Error Codes"). */
const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
];

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

test('no request at random is answered 5xx', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'v2',
      'a',
      'manifests',
      'blobs',
      'uploads',
      'tags',
      'list',
      'referrers',
      '_catalog',
      't',
      digest,
      '..',
      '%2f',
      '',
    ),
    fc.string().map(encodeURIComponent),
  );
  const path = fc.array(segment, { maxLength: 7 }).map((segments) => `/v2/${segments.join('/')}`);
  const key = fc.constantFrom('n', 'last', 'digest', 'mount', 'from', 'tag', 'artifactType', 'digest-algorithm');
  const value = fc.oneof(fc.string(), fc.constantFrom(digest, '0', '-1', '1e999', 'a'));
  const query = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((pairs) => new URLSearchParams(pairs).toString());
  const visible = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const headers = fc.dictionary(
    fc.constantFrom('Range', 'Content-Range', 'Content-Type', 'If-None-Match', 'If-Match', 'If-Range', 'Accept'),
    fc.oneof(visible, fc.constantFrom('bytes=0-', '0-0', 'bytes=-1', '*')),
  );
  const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE');
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, fc.string(), async (method, path, query, headers, body) => {
      const answer = await send({
        method,
        path: `${path}?${query}`,
        headers: { ...headers },
        ...(['GET', 'HEAD'].includes(method) ? {} : { body }),
      });
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400 && method !== 'HEAD') expect(CODES).toContain(errorCode(answer));
    }),
    { numRuns: 400 },
  );
});
