// SPDX-License-Identifier: Apache-2.0
import { hierarchy, treemap, treemapDice } from 'd3-hierarchy';
import type { VNode } from 'preact';
import { html } from '../html.ts';
import { formatBytes } from './amounts.ts';

/** Units of the drawing, which the page scales. */
const WIDTH = 1000;
const HEIGHT = 36;
/** A small layer can still be seen, and hit. */
const NARROWEST = 0.006;
/** More layers than this are drawn as one. */
const MOST = 100;

const ROLES = new Set(['kernel', 'deps', 'app', 'config']);

export interface BarPart {
  size: number;
  /** Said to those who do not see it. */
  label: string;
  role?: string | undefined;
  /** In the place of the role's colour. */
  className?: string | undefined;
  /** Address of what says more. */
  href?: string | undefined;
}

/** What a whole is made of, as one bar in proportion. */
export function proportionalBar(parts: readonly BarPart[], label: string): VNode {
  const rest = parts.slice(MOST);
  const drawn: BarPart[] = [...parts.slice(0, MOST)];
  if (rest.length > 0) {
    drawn.push({ size: sum(rest), label: `${rest.length} more, ${formatBytes(sum(rest))}` });
  }
  const least = sum(drawn) * NARROWEST || 1;
  const root = hierarchy<{ part?: BarPart; children?: { part: BarPart }[] }>({
    children: drawn.map((part) => ({ part })),
  }).sum(({ part }) => (part === undefined ? 0 : Math.max(part.size, least)));
  const laid = treemap<{ part?: BarPart }>().tile(treemapDice).size([WIDTH, HEIGHT])(root);
  return html`<svg class="bar" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="group" aria-label=${label}>
    ${(laid.children ?? []).map(({ data, x0, x1 }, at) => {
      const box = html`<rect x=${x0.toFixed(2)} y="0" width=${Math.max(x1 - x0 - 1.5, 1).toFixed(2)} height=${HEIGHT} class=${data.part?.className ?? colour(data.part, at)}><title>${data.part?.label}</title></rect>`;
      const href = data.part?.href;
      return href === undefined ? box : html`<a href=${href} aria-label=${data.part?.label}>${box}</a>`;
    })}
  </svg>`;
}

/** The class of a layer's colour, in the bar and beside its row. */
export function colour(part: { role?: string | undefined } | undefined, number: number): string {
  const role = part?.role;
  return role !== undefined && ROLES.has(role) ? `role-${role}` : `part-${number % 6}`;
}

function sum(parts: readonly BarPart[]): number {
  return parts.reduce((bytes, { size }) => bytes + size, 0);
}
