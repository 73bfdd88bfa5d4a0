// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../index.ts';

const HTML = { Accept: 'text/html,*/*;q=0.8' };
const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('pages', () => {
  let root: string;
  let registry: Registry;
  let url: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'uk-pages-'));
    registry = await createRegistry({ storage: { driver: 'filesystem', root } });
    ({ url } = await registry.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(async () => {
    await registry.close({ graceMs: 0 });
    await rm(root, { recursive: true });
  });

  test('are for browsers; other clients are told that there is nothing at /', async () => {
    const page = await fetch(`${url}/`, { headers: HTML });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('There is nothing in this registry yet.');
    const other = await fetch(`${url}/`, { headers: { Accept: 'application/json' } });
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
  });

  test('let no script and no style in that is not the registry’s own file', async () => {
    const { headers } = await fetch(`${url}/`, { headers: HTML });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|nonce|data:|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('are compressed for who wants that', async () => {
    const page = await fetch(`${url}/`, { headers: { ...HTML, 'Accept-Encoding': 'gzip' } });
    expect(page.headers.get('content-encoding')).toBe('gzip');
    expect(await page.text()).toContain('</html>');
  });

  test.each([
    ['/r/not/there', 404, 'NAME_UNKNOWN'],
    ['/r/not/there:1', 404, 'MANIFEST_UNKNOWN'],
    [`/r/not/there@${DIGEST}`, 404, 'MANIFEST_UNKNOWN'],
    ['/r/NOT', 400, 'NAME_INVALID'],
    ['/r/a/-/nothing', 404, 'UNSUPPORTED'],
    ['/r/a:1/-/nothing', 404, 'UNSUPPORTED'],
    ['/r/', 404, 'UNSUPPORTED'],
    ['/r/%00', 400, 'NAME_INVALID'],
    ['/compare?from=a', 400, 'UNSUPPORTED'],
    ['/assets/nothing.css', 404, 'UNSUPPORTED'],
    ['/assets/../index.ts', 404, 'UNSUPPORTED'],
    ['/r/constructor', 404, 'NAME_UNKNOWN'],
    ['/r/a:1/-/constructor', 404, 'UNSUPPORTED'],
  ])('%s is answered with %i, as a page', async (path, status, code) => {
    const answer = await fetch(`${url}${path}`, { headers: HTML });
    const text = await answer.text();
    if (answer.headers.get('content-type')?.startsWith('text/html')) expect(text).toContain(code);
    expect(answer.status).toBe(status);
  });

  test('are read only', async () => {
    const answer = await fetch(`${url}/r/a`, { method: 'POST' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  test('answer HEAD as GET, without the body', async () => {
    const answer = await fetch(`${url}/space`, { method: 'HEAD', headers: HTML });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
  });

  test('load files whose address has their version, and may be kept for ever', async () => {
    const page = await (await fetch(`${url}/`, { headers: HTML })).text();
    const [, address = ''] = /href="\.\/(assets\/style\.css\?v=[0-9a-f]+)"/.exec(page) ?? [];
    const file = await fetch(`${url}/${address}`);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(file.headers.get('cache-control')).toContain('immutable');
    const again = await fetch(`${url}/assets/style.css`, {
      headers: { 'If-None-Match': file.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect(again.headers.get('cache-control')).toBe('no-cache');
  });
});

test('pages can be switched off', async () => {
  const root = await mkdtemp(join(tmpdir(), 'uk-pages-'));
  const registry = await createRegistry({ storage: { driver: 'filesystem', root }, pages: false });
  const { url } = await registry.listen({ host: '127.0.0.1', port: 0 });
  for (const path of ['/', '/r/a', '/space', '/assets/main.js']) {
    expect((await fetch(`${url}${path}`, { headers: HTML })).status).toBe(404);
  }
  expect((await fetch(`${url}/v2/`)).status).toBe(200);
  await registry.close({ graceMs: 0 });
  await rm(root, { recursive: true });
});
