// SPDX-License-Identifier: Apache-2.0

import type { ComparedFile, ComparedFilePage, Comparison, ValueChange } from '../../browse/index.ts';
import { RegistryError } from '../../errors.ts';
import { formatNamed, type Named, parseNamed } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { bytes, formatBytes, moment } from '../parts/amounts.ts';
import { badge } from '../parts/badges.ts';
import { digestText } from '../parts/copy.ts';
import { crumbs } from '../parts/crumbs.ts';
import { proportionalBar } from '../parts/layer-bar.ts';
import { made, notice } from '../parts/making.ts';
import { counted, pager } from '../parts/paging.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { table } from '../parts/table.ts';
import { amount, foreign } from '../parts/text.ts';
import { pageOf, searchOf } from '../query.ts';
import type { Page, View } from '../view.ts';

const CHANGES = ['added', 'removed', 'changed'] as const;

/** What differs between two images: layers, files, packages, Kconfig, config. */
export async function comparePage(view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const { from, to } = sides(query);
  const search = searchOf(query);
  const change = CHANGES.find((one) => one === query.get('change'));
  const [comparison, files] = await Promise.all([
    browse.compare({ from, to }),
    browse.compareFiles({ from, to, search, change, page: pageOf(query) }),
  ]);
  const title = `${formatNamed(from)} … ${formatNamed(to)}`;
  const body = html`<div>
    ${crumbs(addresses, to.repository, { rest: ['compare'] })}
    <div class="title"><h1>Compare</h1></div>
    ${sidesForm(from, to, view)}
    ${comparison.same ? notice('note', 'Both are the same manifest.') : ''}
    ${head(comparison, view)}
    ${layers(comparison)}
    <section aria-labelledby="files">
      <div class="title small">
        <h2 id="files">Files</h2>
        ${searchForm({ label: 'Search changed files', value: search ?? '', action: addresses.compare(from, to).replace(/\?.*/, ''), keep: { from: formatNamed(from), to: formatNamed(to), change } })}
      </div>
      ${made(files, RESULTS, (page) => fileList(page, { from, to, search, change }, view), 'The comparison of files')}
    </section>
    ${values('Packages', comparison.packages, 'packages')}
    ${
      comparison.kconfig === undefined
        ? ''
        : html`<section aria-labelledby="kconfig-changes">
      <h2 id="kconfig-changes">Kconfig</h2>
      ${made(comparison.kconfig, 'kconfig', (list) => changeTable('Options of the kernel', list), 'The comparison of the kernels')}
    </section>`
    }
    ${values('Config', comparison.config, 'config-changes')}
    ${values('Annotations', comparison.annotations, 'annotation-changes')}
  </div>`;
  return { title, body, section: 'repositories' };
}

/** @throws RegistryError `PARAMETER_INVALID` */
export function sides(query: URLSearchParams): { from: Named; to: Named } {
  const from = parseNamed(query.get('from')?.trim() ?? '');
  const given = query.get('to')?.trim() ?? '';
  // Within one repository, a tag or digest is enough.
  const to = parseNamed(given) ?? (from === undefined || given === '' ? undefined : { ...from, reference: given });
  if (from === undefined || to === undefined) {
    throw new RegistryError('PARAMETER_INVALID', 'two images are compared, each as NAME:TAG or NAME@DIGEST', {
      hint: 'as in /compare?from=app:1.0&to=app:1.1',
    });
  }
  return { from, to: /^sha(?:256|512)$/.test(to.repository) ? { ...from, reference: given } : to };
}

function sidesForm(from: Named, to: Named, { addresses }: View): Content {
  return html`<form class="sides" method="get" action=${addresses.compare(from, to).replace(/\?.*/, '')}>
    <label>From <input name="from" value=${formatNamed(from)} spellcheck="false" autocomplete="off" /></label>
    <a class="button" href=${addresses.compare(to, from)}>Swap</a>
    <label>To <input name="to" value=${formatNamed(to)} spellcheck="false" autocomplete="off" /></label>
    <button type="submit">Compare</button>
  </form>`;
}

function head({ from, to, toFetch, files }: Comparison, { addresses, now }: View): Content {
  const difference = from.size === undefined || to.size === undefined ? undefined : to.size - from.size;
  const cell = (side: Comparison['from']) => html`<span class="stacked">
    ${digestText(side.digest, { href: addresses.image({ repository: side.repository, reference: side.reference }) })}
    <span class="dim">${side.created === undefined ? '' : html`built ${moment(side.created, now)}`}${side.kernelVersion === undefined ? '' : html`${side.created === undefined ? '' : ', '}Linux ${foreign(side.kernelVersion, { limit: 60 })}`}</span>
  </span>`;
  return html`<dl class="tiles">
    <div><dt>From</dt><dd>${cell(from)}</dd></div>
    <div><dt>To</dt><dd>${cell(to)}</dd></div>
    <div><dt>Size</dt><dd>${bytes(to.size)} <span class="dim">${difference === undefined ? '' : `${difference < 0 ? '−' : '+'}${formatBytes(Math.abs(difference))}`}</span></dd></div>
    <div><dt>Download, with the first at hand</dt><dd>${bytes(toFetch)}</dd></div>
    ${files.state === 'ready' ? html`<div><dt>Files</dt><dd>${amount(files.value.added, 'added', 'added')}, ${amount(files.value.removed, 'removed', 'removed')}, ${amount(files.value.changed, 'changed', 'changed')}</dd></div>` : ''}
  </dl>`;
}

function layers({ layers }: Comparison): Content {
  const name = ({ role, to, from }: Comparison['layers'][number]) => role ?? `layer ${(to ?? from ?? 0) + 1}`;
  const parts = layers.map((layer) => ({
    size: layer.size,
    className: `change-${layer.change}`,
    label: `${name(layer)}, ${layer.change}, ${formatBytes(layer.size)}`,
  }));
  return html`<section aria-labelledby="layers">
    <h2 id="layers">Layers</h2>
    ${proportionalBar(parts, 'Layers of both images in proportion')}
    ${table({
      caption: 'Layers of both images',
      columns: [
        { label: 'Layer', kind: 'main' },
        { label: 'Digest' },
        { label: 'Size', kind: 'number' },
        { label: 'Change' },
      ],
      rows: layers.slice(0, 200).map((layer) => ({
        className: layer.change === 'same' ? undefined : layer.change,
        cells: [
          html`<span class="stacked">${foreign(name(layer), { limit: 80 })}${layer.createdBy === undefined ? '' : html`<code class="dim small">${foreign(layer.createdBy, { limit: 120 })}</code>`}</span>`,
          digestText(layer.digest),
          bytes(layer.size),
          changeBadge(layer.change),
        ],
      })),
    })}
  </section>`;
}

function changeBadge(change: 'same' | 'added' | 'removed' | 'changed'): Content {
  if (change === 'same') return html`<span class="dim">in both</span>`;
  return badge(change, change === 'added' ? 'signed' : change === 'removed' ? 'gone' : 'changed');
}

interface FileFilter {
  from: Named;
  to: Named;
  search: string | undefined;
  change: (typeof CHANGES)[number] | undefined;
}

function fileList(found: ComparedFilePage, { from, to, search, change }: FileFilter, view: View): Content {
  const { addresses } = view;
  const choice = (value: (typeof CHANGES)[number] | undefined, text: string) =>
    html`<a href=${addresses.compare(from, to, { q: search, change: value })} aria-current=${value === change ? 'true' : undefined}>${text}</a>`;
  return html`<div>
    <nav class="chips" aria-label="Kinds of change">${choice(undefined, 'All')}${CHANGES.map((one) => choice(one, one))}</nav>
    ${counted(found, 'file that differs', 'files that differ')}
    ${
      found.rows.length === 0
        ? html`<p class="empty">No files differ.</p>`
        : table({
            caption: 'Files that differ',
            className: 'files',
            columns: [
              { label: 'Path', kind: 'main' },
              { label: 'Change' },
              { label: 'Before', kind: 'number' },
              { label: 'After', kind: 'number' },
            ],
            rows: found.rows.map((row) => [
              row.change === 'changed'
                ? html`<a class="name" href=${addresses.compareFile(from, to, row.path)}>${foreign(row.path, { limit: 300 })}</a>`
                : foreign(row.path, { limit: 300 }),
              html`<span>${changeBadge(row.change)} <span class="dim">${differs(row)}</span></span>`,
              row.from === undefined ? '' : bytes(row.from),
              row.to === undefined ? '' : bytes(row.to),
            ]),
          })
    }
    ${pager(found, (page) => addresses.compare(from, to, { q: search, change, page }))}
  </div>`;
}

function differs({ change, differs }: ComparedFile): string {
  return change === 'changed' ? differs.join(', ') : '';
}

function values(title: string, list: readonly ValueChange[] | undefined, id: string): Content {
  if (list === undefined || list.length === 0) return '';
  return html`<section aria-labelledby=${id}>
    <h2 id=${id}>${title} <span class="count">${list.length.toLocaleString('en')}</span></h2>
    ${changeTable(title, list)}
  </section>`;
}

function changeTable(caption: string, list: readonly ValueChange[]): Content {
  if (list.length === 0) return html`<p class="empty">There is no difference.</p>`;
  const shown = (text: string | undefined) =>
    text === undefined ? html`<span class="dim">–</span>` : html`<code>${foreign(text, { limit: 400 })}</code>`;
  return html`<div>
    ${table({
      caption,
      className: 'dense',
      columns: [{ label: 'Name', kind: 'main' }, { label: 'Change' }, { label: 'Before' }, { label: 'After' }],
      rows: list
        .slice(0, 500)
        .map(({ name, change, from, to }) => [
          html`<code>${foreign(name, { limit: 200 })}</code>`,
          changeBadge(change),
          shown(from),
          shown(to),
        ]),
    })}
    ${list.length > 500 ? html`<p class="dim">${list.length - 500} more differ.</p>` : ''}
  </div>`;
}
