// SPDX-License-Identifier: Apache-2.0
import type { PlatformRow, Repository, TagPage, TagRow } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { bytes, moment } from '../parts/amounts.ts';
import { facts } from '../parts/badges.ts';
import { commandBox } from '../parts/commands.ts';
import { digestText } from '../parts/copy.ts';
import { crumbs } from '../parts/crumbs.ts';
import { icon } from '../parts/icon.ts';
import { counted, pager } from '../parts/paging.ts';
import { platformName } from '../parts/platforms.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { type TableRow, table } from '../parts/table.ts';
import { foreign } from '../parts/text.ts';
import { choiceOf, pageOf, searchOf } from '../query.ts';
import { renderMarkdown } from '../text/markdown.ts';
import type { Page, View } from '../view.ts';

/** For what takes longer, a page does not wait. */
export const WAIT_MS = 150;

const SORTS = ['version', 'pushed', 'name'] as const;
type Sort = (typeof SORTS)[number];

/** A repository: its versions, one a row, the command for the newest, and its README. */
export async function repositoryPage(name: string, view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const search = searchOf(query);
  const sort = choiceOf<Sort>(query, 'sort', [...SORTS]);
  const [repository, tags] = await Promise.all([
    browse.repository(name, { waitMs: WAIT_MS }),
    browse.tags(name, { search, sort, page: pageOf(query) }),
  ]);
  const keep = { sort: sort === 'version' ? undefined : sort };
  const body = html`<div>
    ${crumbs(addresses, name)}
    <div class="title">
      <h1>${name}</h1>
      ${repositoryTabs(repository, view, 'versions')}
    </div>
    ${about(repository)}
    <div class="columns">
      <section aria-labelledby="versions">
        <div class="title small">
          <h2 id="versions">Versions</h2>
          ${searchForm({ label: 'Filter versions', value: search ?? '', action: addresses.repository(name), keep })}
        </div>
        <div id=${RESULTS}>
          ${counted(tags, 'version')}
          ${tags.rows.length === 0 ? html`<p class="empty">${tags.total === 0 ? 'No tag points at anything here.' : 'No tag has all of these words.'}</p>` : tagTable(name, tags, view, sort)}
          ${pager(tags, (page) => addresses.repository(name, { ...keep, q: search, page }))}
        </div>
      </section>
      ${aside(repository, tags, view)}
    </div>
    ${readme(repository, view)}
  </div>`;
  return { title: name, body, section: 'repositories' };
}

/** The pages of a repository. */
export function repositoryTabs(
  { name, untagged }: Pick<Repository, 'name' | 'untagged'>,
  { addresses }: View,
  current: 'versions' | 'untagged' | 'space',
): Content {
  const tab = (id: typeof current, text: Content, address: string) =>
    html`<a href=${address} aria-current=${id === current ? 'page' : undefined}>${text}</a>`;
  return html`<nav class="tabs" aria-label="Repository">
    ${tab('versions', 'Versions', addresses.repository(name))}
    ${tab('untagged', html`Untagged${untagged === undefined ? '' : html` <span class="count">${untagged.toLocaleString('en')}</span>`}`, addresses.repositoryPart(name, 'untagged'))}
    ${tab('space', 'Space', addresses.repositoryPart(name, 'space'))}
  </nav>`;
}

function about({ title, description, licenses, source, url }: Repository): Content {
  if (title === undefined && description === undefined && licenses === undefined && source === undefined) return '';
  return html`<div class="about">
    ${title === undefined ? '' : html`<p><b>${foreign(title, { limit: 200 })}</b></p>`}
    ${description === undefined ? '' : html`<p>${foreign(description, { limit: 600 })}</p>`}
    <p class="dim">
      ${licenses === undefined ? '' : html`<span class="fact">${icon('law')}${foreign(licenses, { limit: 100 })}</span>`}
      ${outside(source, 'Source')}${outside(url, 'Home page')}
    </p>
  </div>`;
}

/** A link out of the registry, where it is one that a browser can follow safely. */
function outside(address: string | undefined, text: string): Content {
  if (address === undefined || !/^https?:\/\//i.test(address)) return '';
  return html`<a class="fact" href=${address} rel="nofollow noopener noreferrer">${icon('link')}${text}</a>`;
}

function tagTable(repository: string, { rows }: TagPage, view: View, sort: Sort): Content {
  const { addresses, query } = view;
  const order = (by: Sort) =>
    addresses.repository(repository, { q: searchOf(query), sort: by === 'version' ? undefined : by });
  return table({
    caption: `Versions of ${repository}`,
    className: 'tags',
    columns: [
      { label: 'Version', kind: 'main', sort: order('version'), sorted: sort === 'version' ? 'descending' : undefined },
      { label: 'Digest' },
      { label: 'Size', kind: 'number' },
      { label: 'Pushed', kind: 'number', sort: order('pushed'), sorted: sort === 'pushed' ? 'descending' : undefined },
      { label: 'More', kind: 'actions' },
    ],
    rows: rows.map((row, at) =>
      tagRow(repository, row, sort === 'name' ? undefined : olderThan(row, rows.slice(at + 1)), view),
    ),
  });
}

/** The version before this one; several tags may be at one. */
function olderThan({ digest }: TagRow, behind: readonly TagRow[]): TagRow | undefined {
  return behind.find((row) => row.digest !== digest);
}

function tagRow(repository: string, row: TagRow, older: TagRow | undefined, view: View): TableRow {
  const { addresses, now, publicAddress } = view;
  const named = { repository, reference: row.tag };
  return {
    cells: [
      html`<span class="stacked">
        <a class="name" href=${addresses.image(named)}>${icon('tag')}<span>${row.tag}</span></a>
        ${facts({ ...row, profiles: [], isUnikernel: isUnikernel(row) })}
        ${row.kind === 'index' ? platforms(repository, row, view) : ''}
      </span>`,
      html`<span class="stacked">
        ${digestText(row.digest, { href: addresses.image({ repository, reference: row.digest }) })}
        ${row.kind !== 'index' && row.platforms[0] !== undefined ? html`<span class="dim small">${platformName(row.platforms[0])}</span>` : ''}
      </span>`,
      bytes(row.size),
      moment(row.pushed, now),
      html`<span class="actions">
        ${older === undefined ? '' : comparing(older, named, view)}
        <a href=${addresses.repositoryPart(repository, 'history', { tag: row.tag })} title="Where this tag pointed before">${icon('history')}<span class="hidden">History of ${row.tag}</span></a>
        <details class="menu">
          <summary title="Commands">${icon('terminal')}<span class="hidden">Commands for ${row.tag}</span></summary>
          <div class="box">${commandBox({ ...row, repository, isUnikernel: isUnikernel(row) }, publicAddress, { open: true })}</div>
        </details>
      </span>`,
    ],
  };
}

function comparing(older: TagRow, named: Named, { addresses }: View): Content {
  const from = { repository: named.repository, reference: older.tag };
  const text = `What changed in ${named.reference} since ${older.tag}`;
  return html`<a href=${addresses.compare(from, named)} title=${text}>
    ${icon('git-compare')} <span class="hidden">What changed in ${named.reference} </span>since ${older.tag}
  </a>`;
}

function platforms(repository: string, row: TagRow, { addresses }: View): Content {
  const shown = row.platforms.filter(({ attestation }) => !attestation);
  const left = row.platformCount - row.platforms.length;
  const line = (platform: PlatformRow) => html`<li>
    <a href=${addresses.image({ repository, reference: platform.digest })}>${platformName(platform)}</a>
    ${digestText(platform.digest)}
    <span class="dim">${platform.size === undefined ? 'not held here' : bytes(platform.size)}</span>
  </li>`;
  const list = html`<ul class="platforms">
    ${shown.map(line)}
    ${left > 0 ? html`<li><a href=${addresses.image({ repository, reference: row.tag }, 'platforms')}>${left} more</a></li>` : ''}
  </ul>`;
  if (shown.length <= 6) return list;
  return html`<details><summary>${row.platformCount} platforms</summary>${list}</details>`;
}

function aside(repository: Repository, { rows }: TagPage, { publicAddress, addresses }: View): Content {
  const row = rows.find(({ tag }) => tag === repository.newest) ?? rows[0];
  if (row === undefined) return '';
  return html`<aside class="box" aria-labelledby="get">
    <h2 id="get">Get <a href=${addresses.image({ repository: repository.name, reference: row.tag })}>${row.tag}</a></h2>
    ${commandBox({ ...row, repository: repository.name, isUnikernel: isUnikernel(row) }, publicAddress)}
  </aside>`;
}

function readme({ name, readme }: Repository, { addresses }: View): Content {
  if (readme === undefined) return '';
  return html`<section class="readme box" aria-labelledby="readme">
    <h2 id="readme">${icon('file')} README</h2>
    <div class="markdown" dangerouslySetInnerHTML=${{ __html: renderMarkdown(readme.markdown) }} />
    ${readme.cut ? html`<p class="dim">The text is longer; <a href=${addresses.image({ repository: name, reference: readme.digest })}>all of it</a>.</p>` : ''}
  </section>`;
}

function isUnikernel({ profiles, variant }: TagRow): boolean {
  return profiles.length > 0 || variant !== undefined;
}
