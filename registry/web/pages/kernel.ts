// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../../../image-format/index.ts';
import type { KconfigPage, Kernel } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { badge } from '../parts/badges.ts';
import { digestText } from '../parts/copy.ts';
import { imageHead } from '../parts/image-head.ts';
import { jsonBlock } from '../parts/json.ts';
import { made } from '../parts/making.ts';
import { counted, pager } from '../parts/paging.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { table } from '../parts/table.ts';
import { amount, foreign } from '../parts/text.ts';
import { pageOf, searchOf } from '../query.ts';
import type { Page, View } from '../view.ts';

/** The Linux in a unikernel: version, variant, patches, and its configuration to search in. */
export async function kernelPage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, query, addresses } = view;
  const search = searchOf(query);
  const enabled = query.get('enabled') === '1';
  const named = { repository, reference };
  const [image, kernel, options] = await Promise.all([
    browse.image(repository, reference),
    browse.kernel(repository, reference),
    browse.kconfig(repository, reference, { search, enabled, page: pageOf(query) }),
  ]);
  const body = html`<div>
    ${imageHead(image, reference, view, 'kernel')}
    ${made(kernel, 'kernel', facts, 'The description of the kernel')}
    <section aria-labelledby="kconfig">
      <div class="title small">
        <h2 id="kconfig">Kconfig</h2>
        ${searchForm({ label: 'Search options', value: search ?? '', action: addresses.imagePart(named, 'kernel'), keep: { enabled: enabled ? '1' : undefined } })}
      </div>
      ${made(options, RESULTS, (page) => kconfig(page, named, search, enabled, view), 'The configuration')}
    </section>
    ${kernel.state === 'ready' ? origin(kernel.value) : ''}
  </div>`;
  return { title: `Kernel of ${repository}`, body, section: 'repositories' };
}

function facts(kernel: Kernel): Content {
  const lines: [string, string | undefined][] = [
    ['Linux', kernel.version],
    ['Variant', kernel.variant],
    ['Preset', kernel.preset],
    ['Profile', kernel.profile],
    ['Guest’s contract', kernel.contract === undefined ? undefined : `version ${kernel.contract}`],
    ['Patches', kernel.patches.length === 0 ? undefined : amount(kernel.patches.length, 'patch', 'patches')],
  ];
  return html`<dl class="tiles">
    ${lines.map(([name, value]) => (value === undefined ? '' : html`<div><dt>${name}</dt><dd>${foreign(value, { limit: 120 })}</dd></div>`))}
  </dl>`;
}

function kconfig(
  found: KconfigPage,
  named: Named,
  search: string | undefined,
  enabled: boolean,
  { addresses }: View,
): Content {
  return html`<div>
    <div class="title small">
      ${counted(found, 'option')}
      <a class="fact" href=${addresses.imagePart(named, 'kernel', { q: search, enabled: !enabled })}>${enabled ? 'Show all options' : 'Only what is on'}</a>
    </div>
    ${
      found.rows.length === 0
        ? html`<p class="empty">No option has all of these words.</p>`
        : table({
            caption: 'Options of the kernel',
            className: 'dense',
            columns: [{ label: 'Option', kind: 'main' }, { label: 'Value' }],
            rows: found.rows.map(({ name, value }) => [
              html`<code>${foreign(name, { limit: 200 })}</code>`,
              value === 'y' || value === 'm'
                ? badge(value, 'signed')
                : value === 'n'
                  ? html`<span class="dim">n</span>`
                  : html`<code>${foreign(value, { limit: 300 })}</code>`,
            ]),
          })
    }
    ${pager(found, (page) => addresses.imagePart(named, 'kernel', { q: search, enabled, page }))}
  </div>`;
}

/** What it was built from. */
function origin(kernel: Kernel): Content {
  const value = (text: string) => (isDigest(text) ? digestText(text) : foreign(text, { limit: 200 }));
  return html`<div>
    ${
      kernel.sources.length === 0
        ? ''
        : html`<section aria-labelledby="sources">
      <h2 id="sources">Built from</h2>
      ${table({
        caption: 'What the kernel was built from',
        className: 'pairs',
        columns: [{ label: 'Name' }, { label: 'Digest or version' }],
        rows: kernel.sources.map((source) => [
          html`<code>${foreign(source.name, { limit: 100 })}</code>`,
          value(source.value),
        ]),
      })}
    </section>`
    }
    ${
      kernel.fragments.length === 0
        ? ''
        : html`<section aria-labelledby="fragments">
      <h2 id="fragments">Fragments of Kconfig <span class="count">${kernel.fragments.length}</span></h2>
      <p class="badges">${kernel.fragments.map((name) => badge(foreign(name, { limit: 60 }), 'plain'))}</p>
    </section>`
    }
    ${
      kernel.patches.length === 0
        ? ''
        : html`<section aria-labelledby="patches">
      <h2 id="patches">Patches <span class="count">${kernel.patches.length}</span></h2>
      <ol class="patches">
        ${kernel.patches.map(({ name, digest }) => html`<li>${foreign(name, { limit: 200 })} ${digest === undefined ? '' : digestText(digest)}</li>`)}
      </ol>
    </section>`
    }
    ${jsonBlock('/boot/kernel.json', kernel.kernelJson)} ${jsonBlock('/boot/profile.json', kernel.profileJson)}
  </div>`;
}
