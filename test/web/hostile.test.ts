// SPDX-License-Identifier: Apache-2.0
// Names, texts and files that were made to harm those who look at them.
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOSTILE, pushHostile } from './sample/hostile.ts';
import {
  CHROMIUM,
  made,
  openPage,
  openSetting,
  ready,
  type Setting,
  violations,
  type WatchedPage,
  WITHOUT_BROWSER,
} from './setting.ts';

const IMAGE = `/r/${HOSTILE}:1`;

describe.skipIf(CHROMIUM === undefined)(`hostile data${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  let watched: WatchedPage;
  beforeAll(async () => {
    setting = await openSetting(pushHostile);
    watched = await openPage(setting, { viewport: { width: 390, height: 844 } });
  });
  afterAll(() => setting?.close());

  test.each([
    '/?folder=hostile',
    `/r/${HOSTILE}`,
    IMAGE,
    `${IMAGE}/-/files?path=a`,
    `${IMAGE}/-/files?q=script`,
    `${IMAGE}/-/file?path=${encodeURIComponent('a/page.html')}`,
    `${IMAGE}/-/attached`,
    `${IMAGE}/-/packages`,
    `${IMAGE}/-/document`,
    `${IMAGE}/-/document?part=config`,
    `${IMAGE}/-/kernel`,
    `/compare?from=${HOSTILE}:1&to=hostile/layers:no-tar`,
    '/r/hostile/many-layers:1000',
    '/r/hostile/many-layers:1000/-/files',
    '/r/hostile/many-layers:1000/-/kernel',
    `/compare?from=hostile/many-layers:1000&to=${HOSTILE}:1`,
    '/r/hostile/many-platforms',
    '/r/hostile/many-platforms:500',
    '/r/hostile/many-tags?page=2',
    ...['no-tar', 'no-gzip', 'encrypted', 'lies', 'bomb'].flatMap((tag) => [
      `/r/hostile/layers:${tag}`,
      `/r/hostile/layers:${tag}/-/files`,
    ]),
    '/space',
    `/?q=${encodeURIComponent('"><script>window.harmed=1</script>')}`,
    `/r/${HOSTILE}/-/history?tag=${encodeURIComponent('"><script>')}`,
    `/r/${encodeURIComponent('<script>')}`,
    '/r/a:<script>',
    '/compare?from=%3Cscript%3E&to=x',
  ])('%s does no harm', async (path) => {
    const { page, problems } = watched;
    problems.length = 0;
    const answer = await page.goto(path);
    expect(answer?.status()).toBeLessThan(500);
    await ready(page);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    expect(
      await page.locator('main script, main img, main iframe, main [onerror], main [hx-trigger=load]').count(),
    ).toBe(0);
    const addresses = await page
      .locator('a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    expect(addresses.filter((address) => /^\s*(?:javascript|data|vbscript):/i.test(address))).toEqual([]);
    const text = await page.locator('main').innerText();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
    expect(text.length).toBeLessThan(400_000);
    const [content, window] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
    expect(content).toBeLessThanOrEqual(window ?? 0);
    expect((await violations(page)).join('\n')).toBe('');
    expect(problems.join('\n')).toBe('');
  });

  test.each([
    ['/?page=1e9', 200],
    ['/?page=99999999999999999999', 200],
    ['/?page=-1&size=100000&sort=__proto__', 200],
    ['/?folder=../..', 200],
    [`/?q=${'a'.repeat(8_000)}`, 200],
    [`/?q=${'%F0%9F'.repeat(500)}`, 200],
    [`/?q=${'a'.repeat(60 * 1024)}`, 431],
    ['/r/hostile/many-tags?page=1e9', 200],
    ['/r/hostile/many-tags?page=999999', 200],
    ['/r/hostile/many-tags/-/untagged?page=999999', 200],
    ['/r/hostile/many-tags/-/history?tag=../x', 400],
    [`${IMAGE}/-/files?path=../../etc/passwd`, 404],
    [`${IMAGE}/-/files?layer=99`, 404],
    [`${IMAGE}/-/files?layer=-1`, 200],
    [`${IMAGE}/-/download?path=../../../../etc/passwd`, 404],
    [`${IMAGE}/-/download?path=%2Fetc%2Fpasswd`, 404],
    [`${IMAGE}/-/content?layer=77`, 404],
    [`${IMAGE}/-/sharing?digest=sha256:00`, 400],
    ['/assets/..%2findex.ts', 404],
    ['/assets/%2e%2e/%2e%2e/package.json', 404],
    ['/r/../../etc/passwd', 400],
    ['/r//evil.example/x', 400],
    [`/compare?from=${HOSTILE}:1&to=`, 400],
    ['/space?days=99999&sort=constructor', 200],
  ])('an address that lies, %#, is answered with nothing of this machine', async (path, status) => {
    await made(`${setting.url}${IMAGE}/-/files`);
    const answer = await raw(setting.url, path);
    expect(answer.status).toBe(status);
    expect(answer.text.match(/root:x:0|"license"/)?.[0]).toBeUndefined();
  });

  test('a query of a megabyte is cut off, and the next request is answered', async () => {
    await raw(setting.url, `/?q=${'a'.repeat(1024 * 1024)}`).catch((error: NodeJS.ErrnoException) => {
      expect(error.code).toMatch(/ECONNRESET|EPIPE/);
    });
    expect((await raw(setting.url, '/')).status).toBe(200);
  });

  test.each([
    { Host: '"><script>window.harmed=1</script>' },
    { 'X-Forwarded-Host': '"><img src=x>', 'X-Forwarded-Proto': 'javascript' },
    { 'X-Forwarded-Host': 'a$(reboot).example' },
    { Forwarded: 'host="a;reboot";proto=https' },
  ])('a host that is none, %#, stands in no command', async (headers) => {
    const { status, text } = await raw(setting.url, `/r/${HOSTILE}`, headers);
    expect(status).toBe(200);
    expect(text.match(/<script>window|<img src=x|reboot/)?.[0]).toBeUndefined();
    const commands = [...text.matchAll(/data-copy="([^"]*)"/g)].map(([, command]) => command);
    expect(commands.filter((command) => !/^[\w .:/@=-]+$/.test(command ?? ''))).toEqual([]);
  });

  test('a file is downloaded, never shown', async () => {
    const path = `${IMAGE}/-/download?path=${encodeURIComponent('a/page.html')}`;
    const answer = await fetch(`${setting.url}${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
  });
});

/** As it stands: `fetch` would tidy the path. */
function raw(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers: { Accept: 'text/html', ...headers } }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, text: await text(answer) });
    });
    asked.on('error', reject).end();
  });
}
