// SPDX-License-Identifier: Apache-2.0
// The pages behind a proxy: another host, another scheme, and a path in front of everything.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGES } from './page-list.ts';
import { pushSample } from './sample/sample.ts';
import { CHROMIUM, openPage, openSetting, type Setting, WITHOUT_BROWSER } from './setting.ts';

const PREFIX = '/some/place';

describe.skipIf(CHROMIUM === undefined)(`behind a proxy${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  let proxy: Server;
  let url: string;
  beforeAll(async () => {
    setting = await openSetting(pushSample);
    proxy = createServer((incoming, outgoing) => {
      if (!incoming.url?.startsWith(`${PREFIX}/`)) {
        outgoing.writeHead(404).end('outside of the prefix');
        return;
      }
      const headers = { ...incoming.headers, 'x-forwarded-host': 'registry.example.com', 'x-forwarded-proto': 'https' };
      const onward = request(
        `${setting.url}${incoming.url.slice(PREFIX.length)}`,
        { method: incoming.method ?? 'GET', headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    proxy?.close();
    await setting?.close();
  });

  test('all links stay below the path, scripts and styles load, commands name the proxy’s host', async () => {
    const { page, problems } = await openPage({ browser: setting.browser, url });
    for (const [name, path] of PAGES) {
      await page.goto(`${PREFIX}${path}`);
      const links = (
        await page.locator('a, link, script, form').evaluateAll((found) =>
          found.map((one) => {
            const it = one as unknown as { href?: string; src?: string; action?: string };
            return String(it.href ?? it.src ?? it.action ?? '');
          }),
        )
      ).filter((link) => link.startsWith(url));
      expect(
        links.filter((link) => !link.startsWith(`${url}${PREFIX}/`)),
        name,
      ).toEqual([]);
    }
    await page.goto(`${PREFIX}/r/shop/web:1.2.0`);
    expect(await page.locator('.command').first().innerText()).toBe('uk run registry.example.com/shop/web:1.2.0');
    await page
      .getByRole('button', { name: /^Verify/ })
      .first()
      .click();
    await page.getByText('verified', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });
});
