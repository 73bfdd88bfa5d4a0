// SPDX-License-Identifier: Apache-2.0
import type { FileDiff } from '../../browse/index.ts';
import { formatNamed } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { crumbs } from '../parts/crumbs.ts';
import { made } from '../parts/making.ts';
import { foreign } from '../parts/text.ts';
import type { Page, View } from '../view.ts';
import { sides } from './compare.ts';

const REASONS: Record<NonNullable<FileDiff['reason']>, string> = {
  same: 'The content is the same on both sides.',
  binary: 'It is no text on one of the sides.',
  large: 'It is too large to be compared here; download both sides.',
  'no-file': 'It is no ordinary file on one of the sides.',
};

/** Characters of one line that are shown. */
const LINE = 1000;

/** How the text of one file differs. */
export async function compareFilePage(view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const { from, to } = sides(query);
  const path = query.get('path') ?? '';
  const found = await browse.compareFile({ from, to }, path);
  const side = (named: typeof from) =>
    html`<a href=${addresses.imagePart(named, 'file', { path })}>${formatNamed(named)}</a>`;
  const body = html`<div>
    ${crumbs(addresses, to.repository, { rest: [html`<a href=${addresses.compare(from, to)}>compare</a>`, 'file'] })}
    <h1 class="path">/${foreign(path, { limit: 300 })}</h1>
    <p class="dim">${side(from)} → ${side(to)}</p>
    ${made(found, 'diff', diff, 'The comparison')}
  </div>`;
  return { title: `/${path}`, body, section: 'repositories' };
}

function diff({ reason, hunks }: FileDiff): Content {
  if (reason !== undefined) return html`<p class="empty">${REASONS[reason]}</p>`;
  return hunks.map((hunk) => {
    let [before, after] = [hunk.fromLine, hunk.toLine];
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Lines from ${hunk.toLine}`}>
      <table class="diff">
        <caption class="hidden">Lines from ${hunk.toLine}</caption>
        <thead class="hidden"><tr><th scope="col">Before</th><th scope="col">After</th><th scope="col">Change</th><th scope="col">Text</th></tr></thead>
        <tbody>
          ${hunk.lines.map(({ kind, text }) => {
            const numbers = [kind === 'added' ? '' : before++, kind === 'removed' ? '' : after++];
            const sign = kind === 'added' ? '+' : kind === 'removed' ? '−' : ' ';
            return html`<tr class=${kind}><td class="line">${numbers[0]}</td><td class="line">${numbers[1]}</td><td class="sign">${sign}</td><td><code>${foreign(text, { lines: true, limit: LINE })}</code></td></tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  });
}
