// SPDX-License-Identifier: Apache-2.0
import type { FilePage, FileRow, Image, RootSummary } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { bytes } from '../parts/amounts.ts';
import { badge } from '../parts/badges.ts';
import { type IconName, icon } from '../parts/icon.ts';
import { imageHead } from '../parts/image-head.ts';
import { layerName } from '../parts/layers.ts';
import { made } from '../parts/making.ts';
import { formatMode, owner } from '../parts/mode.ts';
import { counted, pager } from '../parts/paging.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { type TableRow, table } from '../parts/table.ts';
import { amount, foreign, foreignAttribute } from '../parts/text.ts';
import { choiceOf, layerOf, pageOf, searchOf } from '../query.ts';
import type { Page, View } from '../view.ts';

const ICONS: Record<FileRow['type'], IconName> = {
  file: 'file',
  directory: 'file-directory-fill',
  symlink: 'file-symlink-file',
  hardlink: 'link',
  character: 'gear',
  block: 'database',
  fifo: 'chevron-right',
  removed: 'trash',
};

interface Place {
  named: Named;
  layer: number | undefined;
  path: string;
  changes: boolean;
  sort: 'name' | 'size';
  search: string | undefined;
}

/** A folder of one layer, or of what all layers come to; or what a search finds below it. */
export async function filesPage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, query } = view;
  const place: Place = {
    named: { repository, reference },
    layer: layerOf(query),
    path: (query.get('path') ?? '').replace(/^\/+|\/+$/g, ''),
    changes: query.get('changes') === '1',
    sort: choiceOf(query, 'sort', ['name', 'size']),
    search: searchOf(query),
  };
  const where = { repository, reference, layer: place.layer };
  const image = await browse.image(repository, reference);
  const { path, search, sort, changes } = place;
  const found = await browse.files(where, { path, search, sort, changes, page: pageOf(query) });
  const isTop = path === '' && place.layer === undefined && search === undefined && found.state !== 'refused';
  const summary = isTop ? await browse.root(repository, reference) : undefined;
  const name = `/${path}`;
  const body = html`<div>
    ${imageHead(image, reference, view, 'files')}
    ${layerChoice(image, place, view)}
    <div class="title small">
      <h2>${folders(place, view)}</h2>
      ${searchForm({
        label: 'Search files',
        value: search ?? '',
        action: view.addresses.imagePart(place.named, 'files'),
        keep: { path, layer: place.layer?.toString(), changes: changes ? '1' : undefined },
      })}
    </div>
    ${made(found, RESULTS, (page) => listing(page, place, view), 'The list of files')}
    ${summary === undefined ? '' : made(summary, 'summary', (root) => summarySection(root, place, view), 'The summary')}
  </div>`;
  return { title: `${name} in ${repository}`, body, section: 'repositories' };
}

/** All layers together, or one of them. */
function layerChoice({ layers }: Image, place: Place, { addresses }: View): Content {
  const choice = (layer: number | undefined, text: Content) =>
    html`<a href=${addresses.imagePart(place.named, 'files', { layer })} aria-current=${layer === place.layer ? 'true' : undefined}>${text}</a>`;
  return html`<nav class="chips" aria-label="Layers">
    ${choice(undefined, 'All layers')}
    ${layers.slice(0, 60).map((layer) => choice(layer.number, html`<span class=${`swatch ${swatch(layer.role, layer.number)}`}></span> ${foreign(layerName(layer), { limit: 40 })}`))}
    ${layers.length > 60 ? html`<span class="dim">${layers.length - 60} more</span>` : ''}
  </nav>`;
}

function swatch(role: string | undefined, number: number): string {
  return role !== undefined && ['kernel', 'deps', 'app', 'config'].includes(role)
    ? `role-${role}`
    : `part-${number % 6}`;
}

function folders(place: Place, { addresses }: View): Content {
  const to = (path: string) =>
    addresses.imagePart(place.named, 'files', { path, layer: place.layer, changes: place.changes });
  const parts = place.path === '' ? [] : place.path.split('/');
  return html`<span class="path">
    <a class="root" href=${to('')} aria-label="Root folder">/</a>${parts.map((part, at) => html`<a href=${to(parts.slice(0, at + 1).join('/'))}>${foreign(part, { limit: 120 })}</a>/`)}
  </span>`;
}

function listing(found: FilePage, place: Place, view: View): Content {
  const { addresses } = view;
  const { path, layer, changes, sort, search } = place;
  const keep = { path, layer, changes, q: search };
  const order = (by: 'name' | 'size') =>
    addresses.imagePart(place.named, 'files', { ...keep, sort: by === 'name' ? undefined : by });
  const rows = found.rows.map((row) => fileRow(row, place, view));
  const up = path === '' || search !== undefined ? [] : [upRow(place, view)];
  return html`<div>
    <div class="title small">
      ${counted(found, 'entry', 'entries')}
      ${layer === undefined ? '' : html`<a class="fact" href=${addresses.imagePart(place.named, 'files', { path, layer, changes: !changes })}>${changes ? 'Show everything' : 'Only what it replaces or removes'}</a>`}
    </div>
    ${
      rows.length + up.length === 0
        ? html`<p class="empty">${search === undefined ? 'This folder is empty.' : 'No path has all of these words.'}</p>`
        : table({
            caption: 'Files',
            className: 'files',
            columns: [
              { label: 'Name', kind: 'main', sort: order('name'), sorted: sort === 'name' ? 'ascending' : undefined },
              {
                label: 'Size',
                kind: 'number',
                sort: order('size'),
                sorted: sort === 'size' ? 'descending' : undefined,
              },
              { label: 'Mode' },
              { label: 'Owner' },
              { label: layer === undefined ? 'Layer' : 'Change' },
            ],
            rows: [...up, ...rows],
          })
    }
    ${pager(found, (page) => addresses.imagePart(place.named, 'files', { ...keep, sort: sort === 'name' ? undefined : sort, page }))}
  </div>`;
}

function upRow(place: Place, { addresses }: View): TableRow {
  const above = place.path.split('/').slice(0, -1).join('/');
  const address = addresses.imagePart(place.named, 'files', {
    path: above,
    layer: place.layer,
    changes: place.changes,
  });
  return { cells: [html`<a class="name" href=${address} aria-label="Folder above">..</a>`, '', '', '', ''] };
}

function fileRow(row: FileRow, place: Place, { addresses }: View): TableRow {
  const { layer, search, changes } = place;
  const text = foreign(search === undefined ? row.name : row.path, { limit: 300 });
  const isFolder = row.type === 'directory';
  const address = isFolder
    ? addresses.imagePart(place.named, 'files', { path: row.path, layer, changes })
    : addresses.imagePart(place.named, 'file', { path: row.path, layer });
  const shown = html`${icon(ICONS[row.type], isFolder ? 'folder' : '')}<span>${text}${isFolder ? '/' : ''}</span>`;
  const more =
    row.xattrs === undefined || row.xattrs.length === 0
      ? ''
      : html` <span class="dim small" title=${foreignAttribute(row.xattrs.join(' '))}>+ attributes</span>`;
  return {
    className: row.change === 'removes' || row.type === 'removed' ? 'removed' : undefined,
    cells: [
      html`<span>
        ${row.type === 'removed' ? html`<span class="name">${shown}</span>` : html`<a class="name" href=${address}>${shown}</a>`}
        ${row.target === undefined ? '' : html` <span class="dim">→ ${foreign(row.target, { limit: 200 })}</span>`}${more}
      </span>`,
      sizeOf(row),
      row.mode === undefined ? '' : html`<code title=${`0${row.mode.toString(8)}`}>${formatMode(row)}</code>`,
      owner(row),
      layer === undefined ? layerLink(row.layer, place, addresses) : change(row),
    ],
  };
}

function sizeOf(row: FileRow): Content {
  if (row.type === 'symlink' || row.type === 'removed') return '';
  if (row.type !== 'directory') return row.device ?? bytes(row.size);
  if (row.files === undefined || row.files === 0) return html`<span class="dim">empty</span>`;
  return html`<span><span class="dim">${amount(row.files, 'file')}</span>${' '}${bytes(row.size)}</span>`;
}

function layerLink(number: number, { named, path }: Place, addresses: View['addresses']): Content {
  return html`<a href=${addresses.imagePart(named, 'files', { layer: number, path })}>${number + 1}</a>`;
}

function change({ change, wasted }: FileRow): Content {
  const cost =
    wasted === undefined || wasted === 0 ? '' : html` <span class="dim">${bytes(wasted)} in lower layers</span>`;
  if (change === 'replaces') return html`<span>${badge('replaces', 'changed')}${cost}</span>`;
  if (change === 'removes') return html`<span>${badge('removes', 'gone')}${cost}</span>`;
  return change === 'adds' ? html`<span class="dim">adds</span>` : '';
}

function summarySection(root: RootSummary, { named }: Place, { addresses }: View): Content {
  const file = (path: string) =>
    html`<a class="name" href=${addresses.imagePart(named, 'file', { path })}>${foreign(path, { limit: 300 })}</a>`;
  return html`<div class="columns even">
    <section aria-labelledby="largest">
      <h2 id="largest">Largest files</h2>
      <p class="dim">${amount(root.files, 'file')} in ${amount(root.directories, 'folder')}, ${bytes(root.size)} in all</p>
      ${table({
        caption: 'Largest files',
        columns: [
          { label: 'Path', kind: 'main' },
          { label: 'Size', kind: 'number' },
        ],
        rows: root.largest.slice(0, 10).map((row) => [file(row.path), bytes(row.size)]),
      })}
    </section>
    <section aria-labelledby="wasted">
      <h2 id="wasted">Wasted space</h2>
      <p class="dim">${root.wasted === 0 ? 'No layer replaces or removes what another brought.' : html`Every pull downloads ${bytes(root.wasted)} that a later layer replaces or removes.`}</p>
      ${root.waste.length === 0 ? '' : table({ caption: 'Wasted space', columns: [{ label: 'Path', kind: 'main' }, { label: 'Wasted', kind: 'number' }, { label: 'Layers' }], rows: root.waste.slice(0, 10).map((row) => [foreign(row.path, { limit: 300 }), bytes(row.wasted), row.layers.map((layer) => layer + 1).join(', ')]) })}
    </section>
  </div>`;
}
