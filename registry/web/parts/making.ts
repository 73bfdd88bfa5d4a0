// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import type { Made, Progress, Refusal } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { formatBytes } from './amounts.ts';
import { icon } from './icon.ts';
import { foreign } from './text.ts';

/**
 * What takes time to make, in each of its states. While it is being made, the whole page is asked for again every
 * second, and what differs is put in: where somebody reads or types, nothing moves.
 */
export function made<T>(thing: Made<T>, id: string, render: (value: T) => Content, what: string): VNode {
  if (thing.state === 'ready') return html`<div id=${id}>${render(thing.value)}</div>`;
  if (thing.state === 'refused') return html`<div id=${id}>${refused(thing.reason, what)}</div>`;
  return making(id, thing.progress, what);
}

/** How far something is that is being made. */
export function making(id: string, progress: Progress, what: string): VNode {
  // An empty address is the page's own.
  return html`<div
    id=${id}
    class="making"
    data-making=""
    hx-get=""
    hx-trigger="every 1s"
    hx-target="#main"
    hx-select="#main"
    hx-swap="outerMorph"
    hx-sync="#main:drop"
  >
    <p role="status">${what} is being made: ${describe(progress)}</p>
    <progress aria-label=${what} max=${progress.total} value=${progress.total === undefined ? undefined : progress.done} />
    <p class="dim needs-no-script">Load this page again in a moment.</p>
  </div>`;
}

/** Why something cannot be shown. */
export function refused({ message }: Refusal, what: string): VNode {
  return notice('warning', html`${what} cannot be shown: ${foreign(message)}`);
}

export function notice(kind: 'warning' | 'note', text: Content): VNode {
  return html`<div class=${`notice ${kind}`}>
    ${icon(kind === 'warning' ? 'alert' : 'info')}
    <p>${text}</p>
  </div>`;
}

function describe({ done, total, unit }: Progress): string {
  const say = (count: number) => (unit === 'bytes' ? formatBytes(count) : count.toLocaleString('en'));
  const name = unit === 'bytes' ? '' : ` ${unit}`;
  return total === undefined ? `${say(done)}${name} so far` : `${say(done)} of ${say(total)}${name}`;
}
