// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import { type Content, html } from '../html.ts';
import { amount } from './text.ts';

export interface PageInfo {
  page: number;
  size: number;
  matched: number;
  total: number;
}

/** `12 of 340 repositories`; spoken when it changes while somebody types. */
export function counted({ matched, total }: PageInfo, one: string, several?: string): VNode {
  const all = amount(total, one, several);
  return html`<p class="counted" role="status">
    ${matched === total ? all : `${matched.toLocaleString('en')} of ${all}`}
  </p>`;
}

/** @param address of another page of the same list */
export function pager({ page, size, matched }: PageInfo, address: (page: number) => string): Content {
  const pages = Math.max(1, Math.ceil(matched / size));
  if (pages === 1 && page === 1) return undefined;
  const from = (page - 1) * size + 1;
  const to = Math.min(page * size, matched);
  return html`<nav class="pager" aria-label="Pages">
    ${page > 1 ? html`<a rel="prev" href=${address(page - 1)}>Previous</a>` : html`<span class="dim">Previous</span>`}
    <span>
      ${to < from ? 'nothing here' : `${from.toLocaleString('en')}–${to.toLocaleString('en')}`} of
      ${` ${matched.toLocaleString('en')}`}
    </span>
    ${page < pages ? html`<a rel="next" href=${address(page + 1)}>Next</a>` : html`<span class="dim">Next</span>`}
  </nav>`;
}
