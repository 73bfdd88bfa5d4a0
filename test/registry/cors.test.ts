// SPDX-License-Identifier: Apache-2.0
// What a browser's page of another origin may read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { call } from './call.ts';
import { pusher } from './content.ts';

const ORIGIN = 'https://ui.example.com';

let closed: RunningRegistry;
let open: RunningRegistry;
let all: RunningRegistry;

beforeAll(async () => {
  closed = await startRegistry();
  open = await startRegistry({ corsOrigins: [ORIGIN] });
  all = await startRegistry({ corsOrigins: ['*'] });
  await pusher(open.url).image('cors', 't', 'layer');
});
afterAll(async () => {
  for (const { errors, stop } of [closed, open, all]) {
    expect(errors).toEqual([]);
    await stop();
  }
});

const from = (origin: string) => ({ Origin: origin });
const preflight = (method: string, origin = ORIGIN) => ({
  method: 'OPTIONS',
  path: '/v2/cors/manifests/t',
  headers: { ...from(origin), 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'accept' },
});

test.each(['/v2/', '/v2/_catalog', '/v2/cors/manifests/t', '/v2/cors/manifests/none', '/nothing'])(
  'the page of an allowed origin reads %s and the headers that it needs',
  async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await call(open.url, { method, path, headers: from(ORIGIN) });
      expect(headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(headers.vary).toBe('Origin');
      expect(headers['access-control-expose-headers']).toMatch(/Docker-Content-Digest.*Link.*WWW-Authenticate/);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  },
);

test('the page of another origin, and one without an origin, read nothing', async () => {
  for (const headers of [from('https://evil.example.com'), from('null'), {}]) {
    const answer = await call(open.url, { path: '/v2/', headers });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers.vary).toBe('Origin');
  }
});

test('a preflight for a read is answered, and one for a write is not', async () => {
  const answer = await call(open.url, preflight('GET'));
  expect(answer.status).toBe(204);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-allow-headers': expect.stringMatching(/Accept.*Range/),
  });
  for (const refused of [preflight('PUT'), preflight('DELETE'), preflight('GET', 'https://evil.example.com')]) {
    const { status, headers } = await call(open.url, refused);
    expect(status).toBe(405);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('a write of a page is answered without permission to read', async () => {
  const path = '/v2/cors/blobs/uploads/';
  const { headers } = await call(open.url, { method: 'POST', path, headers: from(ORIGIN) });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('without the setting nothing is allowed', async () => {
  expect((await call(closed.url, preflight('GET'))).status).toBe(405);
  const { headers } = await call(closed.url, { path: '/v2/', headers: from(ORIGIN) });
  expect(headers['access-control-allow-origin']).toBeUndefined();
  expect(headers.vary).toBeUndefined();
});

test('every origin, where that was asked for', async () => {
  const { headers } = await call(all.url, { path: '/v2/', headers: from('https://anybody.example.com') });
  expect(headers['access-control-allow-origin']).toBe('*');
  expect(headers.vary).toBeUndefined();
});
