// SPDX-License-Identifier: Apache-2.0
import { html } from '../html.ts';
import { moment } from '../parts/amounts.ts';
import { digestText } from '../parts/copy.ts';
import { crumbs } from '../parts/crumbs.ts';
import { icon } from '../parts/icon.ts';
import { foreignAttribute } from '../parts/text.ts';
import type { Page, View } from '../view.ts';

/** Where a tag pointed, and when it was moved. */
export async function historyPage(repository: string, view: View): Promise<Page> {
  const { browse, addresses, now } = view;
  const tag = view.query.get('tag') ?? '';
  const { moves, more } = await browse.tagHistory(repository, tag);
  const to = (digest: string) => ({ repository, reference: digest });
  const body = html`<div>
    ${crumbs(addresses, repository, { named: { repository, reference: tag }, rest: ['history'] })}
    <h1 class="spaced"><span class="dim">History of ${repository}:</span>${tag}</h1>
    ${moves.length === 0 ? html`<p class="empty">It is not known when this tag was moved.</p>` : ''}
    <ol class="history">
      ${moves.map(
        ({ at, digest, previous, held }) => html`<li>
        <span>
          ${digest === undefined ? html`${icon('trash')} deleted` : held ? digestText(digest, { href: addresses.image(to(digest)) }) : html`${digestText(digest)} <span class="dim">no longer held</span>`}
          ${digest === undefined || previous === undefined || !held ? '' : html` <a href=${addresses.compare(to(previous), to(digest))}>${icon('git-compare')} what changed</a>`}
        </span>
        <span class="dim">${moment(at, now)}</span>
      </li>`,
      )}
    </ol>
    ${more ? html`<p class="dim">Older moves are not kept.</p>` : ''}
  </div>`;
  return { title: foreignAttribute(`History of ${repository}:${tag}`), body, section: 'repositories' };
}
