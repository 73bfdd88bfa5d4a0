// SPDX-License-Identifier: Apache-2.0
// A registry with data in it and a browser, for the tests of the pages.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { createRegistry, type Registry, type RegistryOptions } from '../../registry/index.ts';
import { HttpPusher } from './sample/pusher.ts';

/** Where Debian's Chromium is; undefined where there is none. */
export const CHROMIUM = findChromium();
/** Why the tests in a browser are left out. */
export const WITHOUT_BROWSER = CHROMIUM === undefined ? ' (skipped: needs the package chromium)' : '';

export interface Setting {
  url: string;
  browser: Browser;
  close(): Promise<void>;
}

/**
 * @param fill pushes what is to be seen
 * @param options of the registry; its storage is a new folder, unless they name another one
 */
export async function openSetting(
  fill: (push: HttpPusher) => Promise<void>,
  options: Partial<RegistryOptions> = {},
): Promise<Setting> {
  const root = await mkdtemp(join(tmpdir(), 'uk-web-'));
  const registry: Registry = await createRegistry({ storage: { driver: 'filesystem', root }, ...options });
  const { url } = await registry.listen({ host: '127.0.0.1', port: 0 });
  await fill(new HttpPusher(url));
  const browser = await openBrowser();
  return {
    url,
    browser,
    async close() {
      await browser.close();
      await registry.close({ graceMs: 0 });
      await rm(root, { recursive: true });
    },
  };
}

export function openBrowser(): Promise<Browser> {
  // Tests run as root in containers, where Chromium has no sandbox of its own.
  return chromium.launch({
    executablePath: CHROMIUM ?? '',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-lcd-text'],
  });
}

/** A page that notes what must not happen: errors of scripts, violations of the policy, requests to other hosts. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  problems: string[];
}

export async function openPage(
  { browser, url }: Pick<Setting, 'browser' | 'url'>,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: url, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (?:404|400)/.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin)) problems.push(`request to ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, context, problems };
}

/** What axe finds, in short. */
export async function violations(page: Page): Promise<string[]> {
  // By way of the debugger: the page's own policy lets no other script in.
  await page.evaluate(axe.source);
  const results = await page.evaluate(async () => {
    const { axe: found } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    return found.run();
  });
  return results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}

/** Waits until nothing of the page is being made any more. */
export async function ready(page: Page): Promise<void> {
  const end = performance.now() + 30_000;
  while ((await page.locator('[data-making]').count()) > 0) {
    if (performance.now() > end) throw new Error(`${page.url()} is still being made`);
    await wait(100);
  }
}

/** Waits on the server's side, for pages without scripts. */
export async function made(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } });
    if (!(await answer.text()).includes('data-making')) return;
    await wait(200);
  }
  throw new Error(`${url} is still being made`);
}

function findChromium(): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {
      // The next one.
    }
  }
  return undefined;
}
