// SPDX-License-Identifier: Apache-2.0

import type { VNode } from 'preact';
import prettyBytes from 'pretty-bytes';
import { type Content, html } from '../html.ts';

const unknown = () => html`<span class="dim">unknown</span>`;

/** `2.3 MB`, with the exact number behind it. */
export function bytes(size: number | undefined): VNode {
  if (size === undefined) return unknown();
  return html`<data class="amount" value=${size} title=${`${size.toLocaleString('en')} bytes`}>${formatBytes(size)}</data>`;
}

export function formatBytes(size: number): string {
  return prettyBytes(size, { maximumFractionDigits: 1 });
}

const STEPS: readonly [unit: Intl.RelativeTimeFormatUnit, milliseconds: number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['week', 7 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** `3 days ago`, with the exact time behind it. @param time milliseconds since 1970 */
export function moment(time: number | undefined, now: number): Content {
  if (time === undefined) return unknown();
  // Times come from images, too, and may be any number.
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return unknown();
  const exact = date.toISOString();
  return html`<time datetime=${exact} title=${readable(exact)}>${ago(time - now)}</time>`;
}

/** `2026-11-30 12:00:00 UTC` */
export function readable(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}

function ago(difference: number): string {
  for (const [unit, milliseconds] of STEPS) {
    const count = Math.trunc(difference / milliseconds);
    if (count !== 0) return relative.format(count, unit);
  }
  return 'just now';
}
