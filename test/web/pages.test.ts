// SPDX-License-Identifier: Apache-2.0
// Every page: both themes, wide and as narrow as a phone, with and without scripts; axe finds nothing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGES } from './page-list.ts';
import { pushSample } from './sample/sample.ts';
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

const PHONE = { width: 390, height: 844 };

describe.skipIf(CHROMIUM === undefined)(`every page${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  const open: Record<string, WatchedPage> = {};
  beforeAll(async () => {
    setting = await openSetting(pushSample);
    open.light = await openPage(setting, { colorScheme: 'light' });
    open.dark = await openPage(setting, { colorScheme: 'dark' });
    open.phone = await openPage(setting, { viewport: PHONE, colorScheme: 'light' });
    open.plain = await openPage(setting, { javaScriptEnabled: false });
  });
  afterAll(() => setting?.close());

  const visit = async (kind: string, path: string) => {
    const watched = open[kind];
    if (watched === undefined) throw new Error(`there is no ${kind}`);
    watched.problems.length = 0;
    const answer = await watched.page.goto(path, { waitUntil: 'load' });
    expect(answer?.status()).toBe(path === '/r/not/there' ? 404 : 200);
    return watched;
  };

  for (const [name, path] of PAGES) {
    test.each(['light', 'dark', 'phone'])(`${name}, %s`, async (kind) => {
      const { page, problems } = await visit(kind, path);
      await ready(page);
      expect(await page.locator('h1').count()).toBe(1);
      expect((await violations(page)).join('\n')).toBe('');
      const [content, window] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
      expect(content).toBeLessThanOrEqual(window ?? 0);
      expect(problems.join('\n')).toBe('');
    });

    test(`${name}, without scripts`, async () => {
      await made(`${setting.url}${path}`);
      const { page, problems } = await visit('plain', path);
      expect(await page.locator('h1').innerText()).not.toBe('');
      expect(await page.locator('.needs-script:visible').count()).toBe(0);
      expect(await page.locator('main').innerText()).not.toMatch(/being made/);
      expect(problems.join('\n')).toBe('');
    });
  }

  test('a search without scripts is an ordinary form', async () => {
    const { page } = await visit('plain', '/');
    await page.getByRole('searchbox').fill('cart');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await page.getByRole('status').innerText()).toMatch(/^1 of \d+ repositories$/);
    expect(await page.getByRole('link', { name: 'shop/cart' }).count()).toBe(1);
  });
});
