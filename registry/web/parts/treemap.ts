// SPDX-License-Identifier: Apache-2.0
import { hierarchy, treemap } from 'd3-hierarchy';
import type { VNode } from 'preact';
import { html } from '../html.ts';
import { formatBytes } from './amounts.ts';

const WIDTH = 1000;
const HEIGHT = 260;
/** Narrower boxes have no text. Units of the drawing; a letter takes about seven. */
const LETTER = 7.5;
const LINE = 36;

export interface Tile {
  name: string;
  size: number;
  href: string;
}

/** Boxes whose areas are in proportion. */
export function treemapOf(tiles: readonly Tile[], label: string): VNode {
  const root = hierarchy<{ tile?: Tile; children?: { tile: Tile }[] }>({
    children: tiles.map((tile) => ({ tile })),
  }).sum(({ tile }) => tile?.size ?? 0);
  const laid = treemap<{ tile?: Tile }>().size([WIDTH, HEIGHT]).paddingInner(3).round(true)(root);
  return html`<svg class="treemap" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label=${label}>
    ${(laid.children ?? []).map(({ data: { tile }, x0, x1, y0, y1 }, at) => {
      const [width, height] = [x1 - x0, y1 - y0];
      const text = fitting(tile?.name ?? '', width - 12);
      const said = `${tile?.name}, ${formatBytes(tile?.size ?? 0)}`;
      const shows = text !== '' && height >= LINE;
      // The texts stand beside the link: they may be cut, and the link says all.
      return html`<a href=${tile?.href} aria-label=${said}>
          <rect x=${x0} y=${y0} width=${width} height=${height} rx="4" class=${`part-${at % 6}`}><title>${said}</title></rect>
        </a>
        ${shows ? html`<text aria-hidden="true" x=${x0 + 8} y=${y0 + 18}>${text}</text>` : ''}
        ${shows && width >= 70 ? html`<text aria-hidden="true" class="small" x=${x0 + 8} y=${y0 + 33}>${formatBytes(tile?.size ?? 0)}</text>` : ''}`;
    })}
  </svg>`;
}

/** The end of a name says more than its folder. */
function fitting(name: string, width: number): string {
  const letters = Math.floor(width / LETTER);
  if (name.length <= letters) return name;
  const last = name.slice(name.lastIndexOf('/') + 1);
  if (last.length <= letters) return last;
  return letters < 4 ? '' : `${last.slice(0, letters - 1)}…`;
}
