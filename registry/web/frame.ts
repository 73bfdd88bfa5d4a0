// SPDX-License-Identifier: Apache-2.0
import { renderToString } from 'preact-render-to-string';
import { html } from './html.ts';
import { icon } from './parts/icon.ts';
import { foreignAttribute } from './parts/text.ts';
import type { Page, View } from './view.ts';

/** Versions of the assets, for addresses that may be kept for ever; undefined for one that may change. */
export type AssetVersion = (name: string) => string | undefined;

/** A whole document. */
export function renderPage({ title, body, section }: Page, view: View, version: AssetVersion): string {
  const { addresses, publicAddress } = view;
  const asset = (name: string) => addresses.asset(name, version(name));
  const link = (name: Page['section'], text: string, address: string) =>
    html`<a href=${address} aria-current=${section === name ? 'page' : undefined}>${text}</a>`;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="referrer" content="same-origin" />
      <meta name="htmx-config" content="includeIndicatorCSS:false, extensions:'none', history:'reload'" />
      <title>${`${foreignAttribute(title)} · ${publicAddress.host}`}</title>
      <link rel="icon" href=${asset('icon.svg')} type="image/svg+xml" />
      <script src=${asset('theme.js')}></script>
      <link rel="stylesheet" href=${asset('style.css')} />
      <script type="module" src=${asset('main.js')}></script>
    </head>
    <body>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="head">
        <div class="wide">
          <a class="brand" href=${addresses.repositories()}>
            ${icon('stack')}<b>uk</b><span class="host">${publicAddress.host}</span>
          </a>
          <nav aria-label="Registry">
            ${link('repositories', 'Repositories', addresses.repositories())}${link('space', 'Space', addresses.space())}
          </nav>
          <button type="button" class="theme needs-script" data-theme-switch="" aria-label="Switch between light and dark" title="Light or dark">
            ${icon('sun')}
          </button>
        </div>
      </header>
      <main id="main" tabindex="-1" class="wide">${body}</main>
      <footer class="foot">
        <div class="wide">
          <p>
            <a href=${addresses.protocol('/api/v1/openapi.json')}>API</a> · OCI Distribution at <code>${addresses.protocol('/v2/').replace(/^(?:\.\.?\/)+/, '/')}</code>
            ${' · '}<a href=${asset('licences.txt')}>Licences</a>
            <span class="needs-script"> · <kbd>/</kbd> searches</span>
          </p>
        </div>
      </footer>
    </body>
  </html>`;
  return `<!doctype html>\n${renderToString(page)}`;
}
