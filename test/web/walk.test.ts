// SPDX-License-Identifier: Apache-2.0
// Somebody who was given the address alone finds what they want in five clicks or fewer.
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pushSample } from './sample/sample.ts';
import { CHROMIUM, openPage, openSetting, ready, type Setting, type WatchedPage, WITHOUT_BROWSER } from './setting.ts';

const MOST = 5;

describe.skipIf(CHROMIUM === undefined)(`a newcomer${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  let watched: WatchedPage;
  let clicks: number;
  beforeAll(async () => {
    setting = await openSetting(pushSample);
  });
  afterAll(() => setting?.close());
  beforeEach(async () => {
    watched = await openPage(setting);
    clicks = 0;
    await watched.page.goto('/');
    await click(watched.page.getByRole('link', { name: 'shop/' }));
    await click(watched.page.getByRole('link', { name: 'web', exact: true }));
  });

  async function click(what: Locator): Promise<void> {
    clicks++;
    await what.first().click();
    await ready(watched.page);
  }

  test('what changed between two versions', async () => {
    const { page } = watched;
    await click(page.getByRole('link', { name: 'What changed in 1.2.0 since 1.1.0' }));
    await page.getByText('etc/nginx/nginx.conf').waitFor();
    await click(page.getByRole('link', { name: 'etc/nginx/nginx.conf' }));
    expect(await page.locator('tr.added').innerText()).toContain('1024');
    expect(clicks).toBeLessThanOrEqual(MOST);
  });

  test('which images share a kernel', async () => {
    const { page } = watched;
    await click(page.getByRole('link', { name: '1.2.0', exact: true }));
    await click(page.getByRole('row', { name: /kernel/ }).getByRole('link', { name: /repositor/ }));
    for (const name of ['shop/cart', 'shop/search', 'edge/cache']) {
      expect(await page.getByRole('link', { name }).count()).toBeGreaterThan(0);
    }
    expect(clicks).toBeLessThanOrEqual(MOST);
  });

  test('the command that boots it', async () => {
    const { page } = watched;
    const host = new URL(setting.url).host;
    expect(await page.getByRole('complementary').locator('.command').first().innerText()).toContain(
      `uk run ${host}/shop/web:latest`,
    );
    expect(clicks).toBeLessThanOrEqual(MOST);
  });

  test('whether and by whom it is signed', async () => {
    const { page } = watched;
    expect(
      await page
        .getByRole('row', { name: /1\.2\.0/ })
        .first()
        .innerText(),
    ).toContain('signed');
    await click(page.getByRole('link', { name: '1.2.0', exact: true }));
    expect(await page.getByRole('complementary').innerText()).toContain('release@shop.example');
    expect(clicks).toBeLessThanOrEqual(MOST);
  });
});
