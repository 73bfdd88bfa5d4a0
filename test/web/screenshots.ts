// SPDX-License-Identifier: Apache-2.0
// `npm run screenshots:web`: a picture of each page into docs/images/, each below 100 kB.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PAGES } from './page-list.ts';
import { pushSample } from './sample/sample.ts';
import { CHROMIUM, openPage, openSetting, ready } from './setting.ts';

const folder = resolve(import.meta.dirname, '../../docs/images');
const MOST_BYTES = 100_000;
/** Shown dark, and as narrow as a phone. */
const DARK = new Set(['compare', 'space']);
const PHONE = { width: 390, height: 760 };
/** As a proxy with a certificate says. */
const HTTPS = { 'X-Forwarded-Proto': 'https' };
const LEFT_OUT = new Set([
  'folder',
  'empty-repository',
  'config',
  'binary-file',
  'error',
  'artifact',
  'artifact-content',
  'repository-space',
]);

if (CHROMIUM === undefined) throw new Error('the package chromium is missing');
mkdirSync(folder, { recursive: true });
// The port of the moment would stand in every picture.
const setting = await openSetting(pushSample, { pagesHost: 'registry.example.com' });
try {
  for (const [name, path] of PAGES) {
    if (!LEFT_OUT.has(name)) await picture(name, path, { dark: DARK.has(name), phone: false });
  }
  await picture('repository-phone', '/r/shop/web', { dark: true, phone: true });
} finally {
  await setting.close();
}

async function picture(name: string, path: string, { dark, phone }: { dark: boolean; phone: boolean }): Promise<void> {
  const viewport = phone ? PHONE : { width: 1160, height: 740 };
  const { page, context } = await openPage(setting, {
    viewport,
    colorScheme: dark ? 'dark' : 'light',
    extraHTTPHeaders: HTTPS,
  });
  await page.goto(path);
  await ready(page);
  const file = join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  await context.close();
  // A page has few colours: 256 of them are enough.
  execFileSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--output', file, file]);
  const { size } = statSync(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MOST_BYTES) throw new Error(`${file} is too large`);
}
