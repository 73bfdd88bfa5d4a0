// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import { html } from '../html.ts';
import { icon } from './icon.ts';

/** The part of a page that a search replaces. */
export const RESULTS = 'results';

export interface SearchOptions {
  label: string;
  value: string;
  /** Address without a query. */
  action: string;
  /** What the rest of the query is. */
  keep?: Readonly<Record<string, string | undefined>>;
}

/** A search that answers as you type; without JavaScript it is an ordinary form. */
export function searchForm({ label, value, action, keep = {} }: SearchOptions): VNode {
  const kept = Object.entries(keep).filter(([, kept]) => kept !== undefined && kept !== '');
  return html`<form
    class="search"
    role="search"
    method="get"
    action=${action}
    hx-get=${action}
    hx-trigger="input delay:120ms, submit"
    hx-target=${`#${RESULTS}`}
    hx-select=${`#${RESULTS}`}
    hx-swap="outerMorph"
    hx-replace-url="true"
    hx-sync="this:replace"
  >
    ${icon('search')}
    <input type="search" name="q" value=${value} aria-label=${label} placeholder=${label} autocomplete="off" spellcheck="false" />
    ${kept.map(([name, text]) => html`<input type="hidden" name=${name} value=${text} />`)}
    <button type="submit">Search</button>
  </form>`;
}
