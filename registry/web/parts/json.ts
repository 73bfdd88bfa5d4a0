// SPDX-License-Identifier: Apache-2.0
import type { LinkedDescriptor } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { foreignLines } from './text.ts';

/** Characters of a document that a page shows. */
const MOST = 256 * 1024;

/** A JSON value behind a fold. */
export function jsonBlock(title: string, value: unknown): Content {
  if (value === undefined) return '';
  return html`<details class="box">
    <summary><code>${title}</code></summary>
    <pre class="file" tabindex="0" role="group" aria-label=${title}><code>${foreignLines(JSON.stringify(value, null, 2), MOST)}</code></pre>
  </details>`;
}

/** Text of a document, with its digests as links to what they name. */
export function linkedText(
  text: string,
  descriptors: readonly LinkedDescriptor[],
  address: (descriptor: LinkedDescriptor) => string | undefined,
): Content {
  const known = new Map(descriptors.map((descriptor) => [descriptor.digest as string, descriptor]));
  // Split by a pattern with one capture: every second piece is a digest.
  return text
    .slice(0, MOST)
    .split(/(sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128}))/)
    .map((piece, at) => {
      if (at % 2 === 0) return foreignLines(piece, MOST);
      const descriptor = known.get(piece);
      const href = descriptor === undefined ? undefined : address(descriptor);
      return href === undefined ? piece : html`<a href=${href}>${piece}</a>`;
    });
}

/** JSON as it came, or with indents where it is all in one line. */
export function readableJson(text: string): string {
  if (text.includes('\n') || text.length > MOST) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
