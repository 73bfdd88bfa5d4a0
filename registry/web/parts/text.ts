// SPDX-License-Identifier: Apache-2.0
import { type Content, html } from '../html.ts';
import { pieces, type VisibleOptions, visible } from '../text/visible.ts';

/**
 * A text that came from outside. Its direction stays its own, and what cannot be seen is shown as an escape.
 * Every name, annotation and path of a page goes through here.
 */
export function foreign(text: string, options?: VisibleOptions): Content {
  const found = pieces(text, options);
  const parts = found.map((piece) =>
    piece.escaped ? html`<span class="escape" title="character that cannot be seen">${piece.text}</span>` : piece.text,
  );
  return html`<bdi>${parts}</bdi>`;
}

/** The same within `<pre>`: lines and tabs stay. */
export function foreignLines(text: string, limit: number): Content {
  return foreign(text, { lines: true, limit });
}

/** The same for an attribute. */
export function foreignAttribute(text: string): string {
  return visible(text, { limit: 300 });
}

/** `1,234 files` */
export function amount(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}
