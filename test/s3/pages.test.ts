// SPDX-License-Identifier: Apache-2.0
// The pages in a browser, of a registry whose data is on S3, and whose clients are sent there for blobs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGES } from '../web/page-list.ts';
import { pushSample } from '../web/sample/sample.ts';
import {
  CHROMIUM,
  openPage,
  openSetting,
  ready,
  type Setting,
  type WatchedPage,
  WITHOUT_BROWSER,
} from '../web/setting.ts';
import { freshPrefix } from './server.ts';

describe.skipIf(CHROMIUM === undefined)(`on S3, with redirects${WITHOUT_BROWSER}`, () => {
  let setting: Setting;
  let watched: WatchedPage;
  beforeAll(async () => {
    setting = await openSetting(pushSample, { storage: { driver: 's3', ...freshPrefix({ redirect: true }) } });
    watched = await openPage(setting);
  });
  afterAll(() => setting?.close());

  test.each(PAGES)('%s', async (_, path) => {
    const { page, problems } = watched;
    problems.length = 0;
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(path === '/r/not/there' ? 404 : 200);
    await ready(page);
    expect(await page.locator('.notice.warning').count()).toBe(0);
    expect(problems.join('\n')).toBe('');
  });

  test('clients are sent to the store, which lets no page of another host read', async () => {
    const { page } = watched;
    await page.goto('/r/shop/web:1.2.0');
    const address = (await page.locator('[data-verify]').first().getAttribute('data-verify'))?.replace(/\?.*/, '');
    const answer = await fetch(new URL(address ?? '', page.url()), { redirect: 'manual' });
    expect(answer.status).toBe(307);
    const elsewhere = await fetch(answer.headers.get('location') ?? '');
    expect(elsewhere.headers.get('access-control-allow-origin')).toBeNull();
    await elsewhere.body?.cancel();
  });

  test('a blob is verified all the same, with bytes that the registry hands on', async () => {
    const { page, problems } = watched;
    await page.goto('/r/shop/web:1.2.0');
    problems.length = 0;
    for (const name of [/kernel/, /deps/, /app/]) {
      const row = page.getByRole('row', { name });
      await row.getByRole('button', { name: /^Verify/ }).click();
      await row.getByText('verified', { exact: true }).waitFor();
    }
    expect(problems).toEqual([]);
  });

  test('a blob that the store has lost is not', async () => {
    const { page } = watched;
    await page.route('**/v2/**/blobs/**', (route) => route.fulfill({ status: 503, body: 'gone' }));
    await page.goto('/r/shop/web:1.2.0');
    const row = page.getByRole('row', { name: /kernel/ });
    await row.getByRole('button', { name: /^Verify/ }).click();
    await row.getByText('the registry answered 503').waitFor();
    await page.unroute('**/v2/**/blobs/**');
  });

  test('a file out of an image is downloaded through the registry', async () => {
    const path = '/r/shop/web:1.2.0/-/download?path=etc/nginx/nginx.conf';
    const answer = await fetch(`${setting.url}${path}`, { redirect: 'manual' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('worker_connections 1024');
  });
});
