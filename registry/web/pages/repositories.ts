// SPDX-License-Identifier: Apache-2.0
import type { Progress, RepositoryPage } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { moment } from '../parts/amounts.ts';
import { badge } from '../parts/badges.ts';
import { icon } from '../parts/icon.ts';
import { making } from '../parts/making.ts';
import { counted, pager } from '../parts/paging.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { type TableRow, table } from '../parts/table.ts';
import { amount } from '../parts/text.ts';
import { choiceOf, pageOf, searchOf } from '../query.ts';
import type { Page, View } from '../view.ts';

/** A page shows what is known by then, and asks again for the rest. */
const WAIT_MS = 40;

/** All repositories: folders of names, or what a search finds in all of them. */
export async function repositoriesPage(view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const search = searchOf(query);
  const folder = query.get('folder') ?? undefined;
  const sort = choiceOf(query, 'sort', ['name', 'pushed']);
  const found = await browse.repositories({
    search,
    prefix: folder,
    sort,
    page: pageOf(query),
    folders: true,
    waitMs: WAIT_MS,
  });
  const keep = { folder, sort: sort === 'name' ? undefined : sort };
  const body = html`<div>
    <div class="title">
      <h1>${folder === undefined ? 'Repositories' : folderTitle(folder, view)}</h1>
      ${searchForm({ label: 'Search repositories', value: search ?? '', action: addresses.repositories(), keep })}
    </div>
    <div id=${RESULTS}>
      ${howMany(found, search, folder)}
      ${found.making === undefined ? '' : making('reading', found.making, whatIsMade(found.making, sort))}
      ${found.rows.length === 0 ? nothing(found, search) : list(found, view, sort)}
      ${pager(found, (page) => addresses.repositories({ ...keep, q: search, page }))}
    </div>
  </div>`;
  return { title: folder ?? 'Repositories', body, section: 'repositories' };
}

function whatIsMade({ total }: Progress, sort: 'name' | 'pushed'): string {
  if (total === undefined) return 'The list of repositories';
  return sort === 'pushed' ? 'The order by time' : 'What this page says of each';
}

/** Folders are entries, too; a search counts repositories. */
function howMany(found: RepositoryPage, search: string | undefined, folder: string | undefined): Content {
  if (search !== undefined) return counted(found, 'repository', 'repositories');
  if (folder !== undefined) return counted({ ...found, total: found.matched }, 'entry', 'entries');
  return counted({ ...found, matched: found.total }, 'repository', 'repositories');
}

function folderTitle(folder: string, { addresses }: View): Content {
  const parts = folder.split('/');
  return html`<span class="path">
    <a href=${addresses.repositories()}>All</a>
    ${parts.map((part, at) => {
      const above = parts.slice(0, at + 1).join('/');
      return html`<span><span class="dim"> / </span>${at === parts.length - 1 ? part : html`<a href=${addresses.repositories({ folder: above })}>${part}</a>`}</span>`;
    })}
  </span>`;
}

function list({ rows }: RepositoryPage, { addresses, now, query }: View, sort: 'name' | 'pushed'): Content {
  const folder = query.get('folder') ?? undefined;
  const order = (by: 'name' | 'pushed') =>
    addresses.repositories({ q: searchOf(query), folder, sort: by === 'name' ? undefined : by });
  return table({
    caption: 'Repositories',
    className: 'list',
    columns: [
      { label: 'Name', kind: 'main', sort: order('name'), sorted: sort === 'name' ? 'ascending' : undefined },
      { label: 'Holds', kind: 'number' },
      { label: 'Pushed', kind: 'number', sort: order('pushed'), sorted: sort === 'pushed' ? 'descending' : undefined },
    ],
    rows: rows.map((row): TableRow => {
      if (row.kind === 'folder') {
        return {
          cells: [
            html`<a class="name" href=${addresses.repositories({ folder: row.name, sort: sort === 'name' ? undefined : sort })}>
              ${icon('file-directory-fill', 'folder')}<span>${below(row.name, folder)}/</span>
            </a>`,
            amount(row.repositories, 'repository', 'repositories'),
            row.pushed === undefined ? '' : moment(row.pushed, now),
          ],
        };
      }
      const state =
        row.state === undefined || row.state === 'tagged'
          ? ''
          : badge(row.state === 'empty' ? 'empty' : 'untagged only', 'plain');
      return {
        cells: [
          html`<a class="name" href=${addresses.repository(row.name)}>${icon('package')}<span>${below(row.name, folder)}</span></a> ${state}`,
          row.tags === undefined ? html`<span class="dim">…</span>` : amount(row.tags, 'tag'),
          row.tags === undefined ? '' : moment(row.pushed, now),
        ],
      };
    }),
  });
}

/** A name without the folder that is looked at. */
function below(name: string, folder: string | undefined): string {
  return folder !== undefined && name.startsWith(`${folder}/`) ? name.slice(folder.length + 1) : name;
}

function nothing({ total }: RepositoryPage, search: string | undefined): Content {
  if (search !== undefined) return html`<p class="empty">No repository’s name has all of these words.</p>`;
  if (total > 0) return html`<p class="empty">There is nothing here.</p>`;
  return html`<div class="empty">
    <p>There is nothing in this registry yet.</p>
    <p>Build an image and push it: <code>uk build</code>, <code>uk push</code>; or copy one with skopeo, crane or podman.</p>
  </div>`;
}
