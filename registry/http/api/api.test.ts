// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pusher } from '../../browse/testing.ts';
import { SILENT } from '../../logger.ts';
import { FilesystemStore } from '../../storage/filesystem/index.ts';
import { RequestServer } from '../request-server.ts';
import { OPERATIONS } from './operations.ts';
import { checkAnswer } from './testing.ts';

let root: string;
let url: string;
let server: RequestServer;
let store: FilesystemStore;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-api-'));
  store = await FilesystemStore.open({ root });
  server = new RequestServer(store, { logger: SILENT });
  ({ url } = await server.listen({ host: '127.0.0.1', port: 0 }));
  const push = new Pusher(server.service);
  await push.image('team/app', ['v1'], ['one']);
  await push.image('team/app', ['v2'], ['two']);
});
afterAll(async () => {
  await server.close(0);
  await store.close();
  await rm(root, { recursive: true });
});

const get = async (path: string) => {
  const response = await fetch(`${url}/api/v1${path}`);
  return { status: response.status, body: (await response.json()) as unknown, headers: response.headers };
};

test('the document describes each path', async () => {
  const { body } = await get('/openapi.json');
  expect(Object.keys((body as { paths: object }).paths)).toEqual(OPERATIONS.map(({ path }) => path));
});

test.each([
  ['/repositories?search=team&folders=true'],
  ['/repository?repository=team/app'],
  ['/tags?repository=team/app&sort=pushed&page=1&size=1'],
  ['/tags/history?repository=team/app&tag=v1'],
  ['/untagged?repository=team/app'],
  ['/image?repository=team/app&reference=v1'],
  ['/document?repository=team/app&reference=v1&part=config'],
  ['/referrers?repository=team/app&reference=v1'],
])('%s answers what the document says', async (path) => {
  const { status, body } = await get(path);
  expect(status).toBe(200);
  expect(checkAnswer((await get('/openapi.json')).body, path, status, body)).toBeUndefined();
});

test.each([
  ['/repositories?page=0', 400, 'PARAMETER_INVALID'],
  ['/repositories?sort=size', 400, 'PARAMETER_INVALID'],
  ['/repositories?nothing=1', 400, 'PARAMETER_INVALID'],
  ['/repositories?page=1&page=2', 400, 'PARAMETER_INVALID'],
  ['/tags', 400, 'PARAMETER_INVALID'],
  ['/tags?repository=Team', 400, 'NAME_INVALID'],
  ['/tags?repository=nobody', 404, 'NAME_UNKNOWN'],
  ['/image?repository=team/app&reference=v3', 404, 'MANIFEST_UNKNOWN'],
  ['/image?repository=team/app&reference=sha256:0', 400, 'DIGEST_INVALID'],
  ['/nothing', 404, 'ROUTE_UNKNOWN'],
])('%s is refused: %i %s', async (path, status, code) => {
  const refused = await get(path);
  expect(refused).toMatchObject({ status, body: { errors: [{ code }] } });
});

test('only reading is allowed', async () => {
  const response = await fetch(`${url}/api/v1/repositories`, { method: 'DELETE' });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD');
});

test('an answer that is not what the document says is noticed', async () => {
  const { body: document } = await get('/openapi.json');
  const { body } = await get('/repositories');
  expect(checkAnswer(document, '/repositories', 200, { ...(body as object), page: 'one' })).toContain('page');
});
