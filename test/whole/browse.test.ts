// SPDX-License-Identifier: Apache-2.0
// The commands that look into a registry, as a user runs them.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../registry/browse/testing.ts';
import { HttpPusher } from '../registry/push-by-http.ts';
import { runUk, type Server, serveRegistry, temporaryFolder, uk } from './command.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let registry: Server;
let host: string;
const env = () => ({ env: { UK_STORE: join(folder.path, 'store') } });
const json = async (...args: string[]) => JSON.parse(await uk([...args, '--json'], env()));

const base = tarOf([
  { path: 'usr/bin/app', content: 'x'.repeat(5000), mode: 0o4755 },
  { path: 'etc/name', content: 'one' },
  { path: 'etc/old', content: 'old' },
]);
const top = tarOf([
  { path: 'etc/name', content: 'two' },
  { path: 'etc/.wh.old' },
  { path: 'etc/\u001b[31mred', content: 'z' },
]);

beforeAll(async () => {
  folder = await temporaryFolder();
  registry = await serveRegistry(join(folder.path, 'registry'));
  host = registry.host;
  const push = new HttpPusher(`http://${host}`);
  await push.image('team/app', 'v1', [new Uint8Array(base)], { env: ['A=1'] });
  await push.image('team/app', 'v2', [new Uint8Array(base), new Uint8Array(top)], { env: ['A=2', 'B=3'] });
  await push.image('other', 'x', [new Uint8Array(base)]);
});
afterAll(async () => {
  await registry.stop();
  await folder[Symbol.asyncDispose]();
});

test('uk search finds repositories', async () => {
  expect(await uk(['search', `${host}/`], env())).toContain('2 of 2');
  const found = await json('search', `${host}/APP`, '--sort', 'pushed');
  expect(found).toMatchObject({ matched: 1, total: 2, repositories: [{ name: 'team/app', tags: 2 }] });
  expect((await runUk(['search', 'app'], env())).status).toBe(2);
});

test('uk ls lists tags', async () => {
  expect(await json('ls', `${host}/team/app`)).toMatchObject([
    { tag: 'v2', platforms: ['linux/amd64'], signed: false },
    { tag: 'v1' },
  ]);
  expect((await runUk(['ls', `${host}/nothing`], env())).stderr.toString()).toContain('there is no repository nothing');
});

test('uk inspect --files lists files, and shows no control character to a terminal', async () => {
  const text = await uk(['inspect', '--files', `${host}/team/app:v2`], env());
  expect(text).toContain('-rwsr-xr-x   0:0     5000   0       -        usr/bin/app');
  expect(text).toContain('etc/\\u{1b}[31mred');
  expect(text).not.toContain('\u001b');
  const layer = await json('inspect', '--files', '--layer', '1', `${host}/team/app:v2`);
  expect(layer.files.map(({ path, change }: { path: string; change?: string }) => [path, change])).toEqual([
    ['etc', undefined],
    ['etc/\u001b[31mred', 'adds'],
    ['etc/name', 'replaces'],
    ['etc/old', 'removes'],
  ]);
  expect((await runUk(['inspect', '--files', '--layer', '7', `${host}/team/app:v2`], env())).status).toBe(2);
});

test('uk diff compares images, of registries and of the store', async () => {
  const [from, to] = [`${host}/team/app:v1`, `${host}/team/app:v2`];
  const remote = await json('diff', from, to);
  expect(remote).toMatchObject({
    same: false,
    layers: [{ change: 'same' }, { change: 'added' }],
    config: [
      { name: 'env A', change: 'changed', from: '1', to: '2' },
      { name: 'env B', change: 'added', to: '3' },
    ],
    files: [
      { path: 'etc/\u001b[31mred', change: 'added' },
      { path: 'etc/name', change: 'changed', differs: ['content'] },
      { path: 'etc/old', change: 'removed' },
    ],
  });
  await uk(['pull', from], env());
  expect(await json('diff', from, to)).toEqual(remote);
  expect(await uk(['diff', from, to], env())).toContain('~ env A   1 -> 2');
});

describe('a registry of another kind', () => {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    if (!path.startsWith('/v2/')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
      return;
    }
    const answer = await fetch(`http://${host}${path}`, {
      method: request.method ?? 'GET',
      headers: { accept: String(request.headers.accept) },
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  let other: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    other = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test('is searched and listed by the protocol', async () => {
    expect(await json('search', `${other}/team`)).toMatchObject({ matched: 1, total: 2 });
    expect(await json('ls', `${other}/team/app`)).toMatchObject([{ tag: 'v1' }, { tag: 'v2' }]);
  });
  test('is looked into and compared', async () => {
    expect((await json('diff', `${other}/team/app:v1`, `${other}/team/app:v2`)).files).toHaveLength(3);
    expect(requests.filter((path) => path.startsWith('/api/')).length).toBeLessThanOrEqual(2);
  });
});
