// SPDX-License-Identifier: Apache-2.0
import type { Image } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { table } from './table.ts';
import { amount, foreign, foreignLines } from './text.ts';

/** Pairs of which more are behind a fold. */
const IN_SIGHT = 12;
const MOST = 500;

/** How an image runs. */
export function configSection({ run }: Image): Content {
  if (run === undefined) return '';
  const words = (list: readonly string[]) => html`<code>${foreign(list.map(quoted).join(' '))}</code>`;
  const lines: [string, Content][] = [];
  if (run.entrypoint.length > 0) lines.push(['Entry point', words(run.entrypoint)]);
  if (run.command.length > 0) lines.push(['Command', words(run.command)]);
  if (run.user !== undefined && run.user !== '') lines.push(['User', html`<code>${foreign(run.user)}</code>`]);
  if (run.workingDirectory) lines.push(['Working folder', html`<code>${foreign(run.workingDirectory)}</code>`]);
  if (run.ports.length > 0) lines.push(['Ports', words(run.ports.slice(0, 100))]);
  if (run.volumes.length > 0) lines.push(['Volumes', words(run.volumes.slice(0, 100))]);
  if (run.stopSignal) lines.push(['Stop signal', html`<code>${foreign(run.stopSignal)}</code>`]);
  if (run.author) lines.push(['Author', foreign(run.author)]);
  return html`<section aria-labelledby="config">
    <h2 id="config">How it runs</h2>
    ${lines.length === 0 ? html`<p class="empty">The config says nothing about it.</p>` : html`<dl class="lines">${lines.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`}
    ${pairs('Environment', Object.fromEntries(run.environment.map(({ name, value }) => [name, value])))}
    ${pairs('Labels', run.labels)}
  </section>`;
}

/** Annotations, labels, variables: names with values, all of them foreign. */
export function pairs(title: string, values: Readonly<Record<string, string>>): Content {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return '';
  const list = (some: readonly [string, string][]) =>
    table({
      caption: title,
      className: 'pairs',
      columns: [{ label: 'Name' }, { label: 'Value' }],
      rows: some.map(([name, value]) => [html`<code>${foreign(name, { limit: 200 })}</code>`, shown(value)]),
    });
  const heading = html`<h3>${title} <span class="count">${entries.length.toLocaleString('en')}</span></h3>`;
  if (entries.length <= IN_SIGHT) return html`<div>${heading}${list(entries)}</div>`;
  return html`<div>
    ${heading}
    <details><summary>Show all</summary>${list(entries.slice(0, MOST))}</details>
    ${entries.length > MOST ? html`<p class="dim">${entries.length - MOST} more are in the document.</p>` : ''}
  </div>`;
}

function shown(value: string): Content {
  const lines = value.trimEnd().split('\n').length;
  if (lines === 1) return html`<span class="value">${foreign(value, { limit: 400 })}</span>`;
  return html`<details class="value"><summary>${amount(lines, 'line')}</summary><pre>${foreignLines(value, 8_000)}</pre></details>`;
}

/** As a shell would need it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
