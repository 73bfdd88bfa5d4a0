// SPDX-License-Identifier: Apache-2.0
// What pages do when somebody uses them: search, copy, verify, the keyboard, the switch of colours.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pushSample } from './sample/sample.ts';
import { CHROMIUM, openPage, openSetting, type Setting, type WatchedPage, WITHOUT_BROWSER } from './setting.ts';

describe.skipIf(CHROMIUM === undefined)(`pages${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  let watched: WatchedPage;
  beforeAll(async () => {
    setting = await openSetting(pushSample);
  });
  afterAll(() => setting?.close());
  beforeEach(async () => {
    await watched?.context.close();
    watched = await openPage(setting, { colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] });
  });
  const clipboard = () => watched.page.evaluate('navigator.clipboard.readText()');

  test('a search answers as you type, in the address too', async () => {
    const { page, problems } = watched;
    await page.goto('/');
    await page.getByRole('searchbox').pressSequentially('sear');
    await page.getByText(/^1 of \d+ repositories$/).waitFor();
    expect(await page.getByRole('link', { name: 'shop/search' }).isVisible()).toBe(true);
    expect(new URL(page.url()).searchParams.get('q')).toBe('sear');
    await page.reload();
    expect(await page.getByRole('searchbox').inputValue()).toBe('sear');
    await page.getByRole('searchbox').fill('');
    await page
      .getByRole('status')
      .getByText(/^\d+ repositories$/)
      .waitFor();
    expect(problems).toEqual([]);
  });

  test('commands are copied, by tag and by digest, with this host', async () => {
    const { page } = watched;
    const host = new URL(setting.url).host;
    await page.goto('/r/shop/web:1.2.0');
    await page.getByRole('button', { name: 'Copy Run it, by tag' }).click();
    expect(await clipboard()).toBe(`uk run ${host}/shop/web:1.2.0`);
    await page.getByText('By digest, which never changes').click();
    await page.getByRole('button', { name: 'Copy Pull it, by digest' }).click();
    expect(await clipboard()).toMatch(new RegExp(`^uk pull ${host}/shop/web@sha256:[0-9a-f]{64}$`));
  });

  test('a blob is verified in the browser', async () => {
    const { page, problems } = watched;
    await page.goto('/r/shop/web:1.2.0');
    const row = page.getByRole('row', { name: /kernel/ });
    await row.getByRole('button', { name: /^Verify/ }).click();
    await row.getByText('verified', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  test('a list that is still being read shows what is known, and the rest by itself', async () => {
    const { page, problems } = watched;
    let asked = 0;
    await page.route('**/?q=shop', async (route) => {
      const answer = await route.fetch();
      asked += 1;
      if (asked > 1) return route.fulfill({ response: answer });
      // As the server answers it while the storage is slow.
      const body = (await answer.text()).replace(
        /<div id="results">/,
        '<div id="results"><div id="reading" data-making="" hx-get="" hx-trigger="every 1s" hx-target="#main" hx-select="#main" hx-swap="outerMorph" hx-sync="#main:drop">being made</div>',
      );
      return route.fulfill({ response: answer, body });
    });
    await page.goto('/?q=shop');
    await page.getByText('being made').waitFor();
    await page.getByText('being made').waitFor({ state: 'detached' });
    expect(asked).toBeGreaterThan(1);
    expect(await page.getByRole('link', { name: 'shop/search' }).isVisible()).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a blob with other bytes is not', async () => {
    const { page } = watched;
    await page.route('**/v2/**/blobs/**', async (route) => {
      const answer = await route.fetch();
      const body = Buffer.from(await answer.body());
      body[0] = (body[0] ?? 0) ^ 1;
      await route.fulfill({ response: answer, body });
    });
    await page.goto('/r/shop/web:1.2.0');
    const row = page.getByRole('row', { name: /kernel/ });
    await row.getByRole('button', { name: /^Verify/ }).click();
    await row.getByText('another digest').waitFor();
  });

  test('the colours are switched, and stay so', async () => {
    const { page } = watched;
    const colour = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.goto('/');
    const before = await colour();
    await page.getByRole('button', { name: 'Switch between light and dark' }).click();
    expect(await colour()).not.toBe(before);
    await page.goto('/space');
    expect(await colour()).not.toBe(before);
  });

  test('everything is reached with the keyboard alone', async () => {
    const { page } = watched;
    const focused = () => page.evaluate('document.activeElement.textContent.trim()');
    await page.goto('/');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('/');
    await page.keyboard.type('shop/web');
    await page.getByText(/^1 of \d+ repositories$/).waitFor();
    await tabTo('shop/web');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/r/shop/web');
    await tabTo('1.2.0');
    await tabTo('Commands for 1.2.0');
    await page.keyboard.press('Enter');
    const copy = page.locator('details.menu[open]').getByRole('button', { name: 'Copy Run it, by tag' });
    await copy.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await clipboard()).toContain('/shop/web:1.2.0');
    await page.keyboard.press('Escape');
    expect(await page.locator('details.menu[open]').count()).toBe(0);
    expect(await focused()).toBe('Commands for 1.2.0');

    async function tabTo(text: string): Promise<void> {
      for (let tries = 0; tries < 60; tries++) {
        await page.keyboard.press('Tab');
        if ((await focused()) === text) return;
      }
      throw new Error(`${text} was not reached`);
    }
  });
});
