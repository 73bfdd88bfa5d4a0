// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pusher, tarOf } from '../../browse/testing.ts';
import { SILENT } from '../../logger.ts';
import { FilesystemStore } from '../../storage/filesystem/index.ts';
import { RequestServer } from '../request-server.ts';
import { OPERATIONS } from './operations.ts';
import { checkAnswer } from './testing.ts';

let root: string;
let url: string;
let server: RequestServer;
let store: FilesystemStore;
let layer: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-api-'));
  store = await FilesystemStore.open({ root });
  server = new RequestServer(store, { logger: SILENT });
  ({ url } = await server.listen({ host: '127.0.0.1', port: 0 }));
  const push = new Pusher(server.service);
  const kernel = tarOf([
    { path: 'boot/config', content: 'CONFIG_A=y\n' },
    {
      path: 'boot/kernel.json',
      content: '{"version":"6.12.1","patches":["one"],"fragments":["base"],"sources":{"linux":"x","builder":3}}',
    },
  ]);
  const annotations = { 'vnd.uk.kernel.variant': 'default', 'vnd.uk.readme': '# Words' };
  const layers = (text: string) => [kernel, tarOf([{ path: 'etc/name', content: text }])];
  const first = await push.image('team/app', ['v1'], layers('one'), { annotations });
  await push.image('team/app', ['v2'], layers('two'), { annotations });
  await push.artifact('team/app', {
    subject: first,
    artifactType: 'application/spdx+json',
    layers: ['{"spdxVersion":"SPDX-2.3","packages":[{"name":"libc6","versionInfo":"2.36"}]}'],
  });
  ({ digest: layer } = await push.blob('team/app', kernel, 'x/y'));
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
  ['/sharing?repository=team/app&digest=LAYER'],
  ['/kernel?repository=team/app&reference=v1'],
  ['/kconfig?repository=team/app&reference=v1&enabled=true&search=a'],
  ['/root?repository=team/app&reference=v1'],
  ['/files?repository=team/app&reference=v1&path=etc&sort=size'],
  ['/files?repository=team/app&reference=v1&layer=1&changes=true'],
  ['/file?repository=team/app&reference=v1&layer=1&path=etc/name'],
  ['/packages?repository=team/app&reference=v1&search=lib'],
  ['/packages?repository=team/app&reference=v2'],
  ['/artifact?repository=team/app&reference=SBOM'],
  ['/compare?repository=team/app&from=v1&to=v2'],
  ['/compare/files?repository=team/app&from=v1&to=v2&change=changed'],
  ['/compare/file?repository=team/app&from=v1&to=v2&path=etc/name'],
  ['/space?days=7&sort=total'],
  ['/space/repository?repository=team/app'],
])('%s answers what the document says', async (template) => {
  const { body: document } = await get('/openapi.json');
  const path = template.replace('LAYER', layer).replace('SBOM', await sbom());
  let answered = await get(path);
  for (; answered.status === 202; answered = await get(path)) {
    expect(checkAnswer(document, path, 202, answered.body)).toBeUndefined();
    expect(answered.headers.get('retry-after')).toBe('1');
  }
  expect(answered.status).toBe(200);
  expect(answered.body ?? {}).not.toMatchObject({ state: 'refused' });
  expect(checkAnswer(document, path, 200, answered.body)).toBeUndefined();
});

async function sbom(): Promise<string> {
  const { body } = await get('/referrers?repository=team/app&reference=v1');
  return (body as { referrers: { digest: string }[] }).referrers[0]?.digest ?? '';
}

test('a file is downloaded, and never shown by a browser', async () => {
  const at = `${url}/api/v1/file/content?repository=team/app&reference=v1&path=etc/name`;
  const response = await fetch(at);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('one');
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''name");
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect((await fetch(at, { method: 'HEAD' })).headers.get('content-length')).toBe('3');
});

test('every path of the document is tested here', async () => {
  const { readFile } = await import('node:fs/promises');
  const source = await readFile(import.meta.filename, 'utf8');
  for (const { path } of OPERATIONS) expect(source).toContain(`${path}?`);
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
