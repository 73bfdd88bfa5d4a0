// SPDX-License-Identifier: Apache-2.0
import { html } from '../html.ts';
import { bytes, moment } from '../parts/amounts.ts';
import { facts } from '../parts/badges.ts';
import { digestText } from '../parts/copy.ts';
import { crumbs } from '../parts/crumbs.ts';
import { counted, pager } from '../parts/paging.ts';
import { type TableRow, table } from '../parts/table.ts';
import { pageOf } from '../query.ts';
import type { Page, View } from '../view.ts';
import { repositoryTabs, WAIT_MS } from './repository.ts';

/** Manifests that no tag names: platforms of indexes, referrers, and what tags have left behind. */
export async function untaggedPage(name: string, view: View): Promise<Page> {
  const { browse, addresses, query, now } = view;
  const [repository, found] = await Promise.all([
    browse.repository(name, { waitMs: WAIT_MS }),
    browse.untagged(name, { page: pageOf(query) }),
  ]);
  const to = (digest: string) =>
    digestText(digest, { href: addresses.image({ repository: name, reference: digest }), copy: false });
  const rows = found.rows.map(
    (row): TableRow => ({
      cells: [
        html`<span class="stacked">${digestText(row.digest, { href: addresses.image({ repository: name, reference: row.digest }) })}${facts(row)}</span>`,
        row.subject !== undefined
          ? html`<span>attached to ${to(row.subject)}</span>`
          : row.partOf !== undefined
            ? html`<span>in the index ${to(row.partOf)}</span>`
            : html`<span class="dim">nothing names it</span>`,
        bytes(row.size),
        moment(row.pushed, now),
      ],
    }),
  );
  const body = html`<div>
    ${crumbs(addresses, name, { rest: ['untagged'] })}
    <div class="title"><h1>${name}</h1>${repositoryTabs(repository, view, 'untagged')}</div>
    <h2>Manifests without a tag</h2>
    <p class="dim">Signatures and what else is attached, images of indexes, and what tags have left behind.</p>
    ${counted(found, 'manifest')}
    ${rows.length === 0 ? html`<p class="empty">Every manifest has a tag.</p>` : table({ caption: 'Manifests without a tag', columns: [{ label: 'Manifest', kind: 'main' }, { label: 'Why it is here' }, { label: 'Size', kind: 'number' }, { label: 'Pushed', kind: 'number' }], rows })}
    ${pager(found, (page) => addresses.repositoryPart(name, 'untagged', { page }))}
  </div>`;
  return { title: `Untagged in ${name}`, body, section: 'repositories' };
}
