// SPDX-License-Identifier: Apache-2.0
import type { RepositorySpace, SpacePage, TagSpaces } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { bytes, formatBytes } from '../parts/amounts.ts';
import { crumbs } from '../parts/crumbs.ts';
import { icon } from '../parts/icon.ts';
import { proportionalBar } from '../parts/layer-bar.ts';
import { made, notice } from '../parts/making.ts';
import { pager } from '../parts/paging.ts';
import { table } from '../parts/table.ts';
import { amount } from '../parts/text.ts';
import { type Tile, treemapOf } from '../parts/treemap.ts';
import { choiceOf, pageOf } from '../query.ts';
import type { Page, View } from '../view.ts';
import { repositoryTabs, WAIT_MS } from './repository.ts';

const SORTS = ['own', 'total', 'old', 'name'] as const;
type Sort = (typeof SORTS)[number];
const DAYS = 90;

/** Where the space of the whole registry goes. */
export async function spacePage(view: View): Promise<Page> {
  const { browse, query } = view;
  const sort = choiceOf<Sort>(query, 'sort', [...SORTS]);
  const days = daysOf(query);
  const found = await browse.space({ sort, days, page: pageOf(query) });
  const body = html`<div>
    <div class="title"><h1>Where the space goes</h1>${daysForm(days, view.addresses.space())}</div>
    ${made(found, 'space', (page) => whole(page, sort, days, view), 'The count of all space')}
  </div>`;
  return { title: 'Space', body, section: 'space' };
}

function whole(page: SpacePage, sort: Sort, days: number, view: View): Content {
  const { addresses } = view;
  const order = (by: Sort) =>
    addresses.space({ sort: by === 'own' ? undefined : by, days: days === DAYS ? undefined : days });
  const tiles: Tile[] = page.rows
    .filter(({ own }) => own > 0)
    .map(({ name, own }) => ({ name, size: own, href: addresses.repositoryPart(name, 'space') }));
  return html`<div>
    ${shares(page.all, `${amount(page.all.repositories, 'repository', 'repositories')}, each blob counted once`)}
    ${tiles.length < 2 ? '' : treemapOf(tiles, 'Repositories in proportion to what only they hold')}
    ${table({
      caption: 'Repositories by the space they take',
      columns: [
        { label: 'Repository', kind: 'main', sort: order('name'), sorted: sort === 'name' ? 'ascending' : undefined },
        { label: 'Own', kind: 'number', sort: order('own'), sorted: sort === 'own' ? 'descending' : undefined },
        { label: 'Shared', kind: 'number' },
        {
          label: 'Only old tags',
          kind: 'number',
          sort: order('old'),
          sorted: sort === 'old' ? 'descending' : undefined,
        },
        { label: 'Untagged', kind: 'number' },
        { label: 'In all', kind: 'number', sort: order('total'), sorted: sort === 'total' ? 'descending' : undefined },
      ],
      rows: page.rows.map((row) => [
        html`<a class="name" href=${addresses.repositoryPart(row.name, 'space')}>${icon('package')}<span>${row.name}</span></a>`,
        bytes(row.own),
        bytes(row.shared),
        bytes(row.old),
        bytes(row.untagged),
        bytes(row.total),
      ]),
    })}
    ${pager(page, (number) => addresses.space({ sort: sort === 'own' ? undefined : sort, days: days === DAYS ? undefined : days, page: number }))}
  </div>`;
}

/** Where the space of a repository goes, tag by tag. */
export async function repositorySpacePage(name: string, view: View): Promise<Page> {
  const { browse, addresses } = view;
  const days = daysOf(view.query);
  const [repository, found] = await Promise.all([
    browse.repository(name, { waitMs: WAIT_MS }),
    browse.spaceOf(name, { days }),
  ]);
  const body = html`<div>
    ${crumbs(addresses, name, { rest: ['space'] })}
    <div class="title"><h1>${name}</h1>${repositoryTabs(repository, view, 'space')}</div>
    <div class="title small"><h2>Where the space goes</h2>${daysForm(days, addresses.repositoryPart(name, 'space'))}</div>
    ${made(found, 'space', (spaces) => byTag(spaces, name, view), 'The count of its space')}
  </div>`;
  return { title: `Space of ${name}`, body, section: 'repositories' };
}

function byTag(spaces: TagSpaces, repository: string, { addresses }: View): Content {
  const tags = spaces.tags.slice(0, 500);
  return html`<div>
    ${spaces.more ? notice('note', 'The repository holds more than could be read: all numbers are too small.') : ''}
    ${shares(spaces, html`Deleting this repository would free ${bytes(spaces.own)}: nobody else has these blobs.`)}
    ${table({
      caption: 'Tags by the space that only they hold',
      columns: [
        { label: 'Tag', kind: 'main' },
        { label: 'Only this tag', kind: 'number' },
        { label: 'In all', kind: 'number' },
      ],
      rows: tags.map(({ tag, own, total, old }) => [
        html`<span><a class="name" href=${addresses.image({ repository, reference: tag })}>${icon('tag')}<span>${tag}</span></a>${old ? html` <span class="dim">old</span>` : ''}</span>`,
        bytes(own),
        bytes(total),
      ]),
    })}
  </div>`;
}

function shares(
  { own, shared, old, untagged, total, blobs, manifests }: Omit<RepositorySpace, 'name'>,
  note: Content,
): Content {
  const fresh = Math.max(own - old - untagged, 0);
  const parts = [
    { size: fresh, label: `own, ${formatBytes(fresh)}`, role: 'app' },
    { size: shared, label: `shared, ${formatBytes(shared)}`, role: 'deps' },
    { size: old, label: `only old tags, ${formatBytes(old)}`, role: 'config' },
    { size: untagged, label: `untagged, ${formatBytes(untagged)}`, role: 'kernel' },
  ].filter(({ size }) => size > 0);
  const tile = (name: string, size: number, role: string) =>
    html`<div><dt><span class=${`swatch role-${role}`}></span> ${name}</dt><dd>${bytes(size)}</dd></div>`;
  return html`<div>
    ${proportionalBar(parts, 'Space by who holds it')}
    <dl class="tiles">
      <div><dt>In all</dt><dd>${bytes(total)} <span class="dim">${amount(blobs, 'blob')}, ${amount(manifests, 'manifest')}</span></dd></div>
      ${tile('Own', own, 'app')}${tile('Shared', shared, 'deps')}${tile('Only old tags', old, 'config')}${tile('Untagged', untagged, 'kernel')}
    </dl>
    <p class="dim">${note}</p>
  </div>`;
}

function daysOf(query: URLSearchParams): number {
  const text = query.get('days') ?? '';
  return /^[0-9]{1,4}$/.test(text) ? Number(text) : DAYS;
}

function daysForm(days: number, action: string): Content {
  return html`<form class="days" method="get" action=${action}>
    <label>A tag is old after <input type="number" name="days" min="0" max="9999" value=${days} /> days</label>
    <button type="submit">Count</button>
  </form>`;
}
