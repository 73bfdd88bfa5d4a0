// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import { type Content, html } from '../html.ts';
import { icon } from './icon.ts';

/** A button that puts a text into the clipboard. Without JavaScript it is not there, and the text can be marked. */
export function copyButton(text: string, what: string): VNode {
  return html`<button type="button" class="copy needs-script" data-copy=${text} aria-label=${`Copy ${what}`} title=${`Copy ${what}`}>
    ${icon('copy')}
  </button>`;
}

/** A command to copy. */
export function command(text: string, what: string): VNode {
  return html`<div class="command">
    <code>${breakable(text)}</code>${copyButton(text, what)}
  </div>`;
}

/** Lines break between words, and within a reference behind a slash or before its digest. */
function breakable(text: string): Content {
  return text.split(/(?<= )/).map((word) => {
    if (!/[/@]/.test(word)) return html`<span class="word">${word.trimEnd()}</span>${word.endsWith(' ') ? ' ' : ''}`;
    return word.split(/(?<=\/)|(?=@)/).map((piece, at) => (at === 0 ? piece : html`<wbr />${piece}`));
  });
}

/** `sha256:0123456789ab`, whole on paper and in the clipboard. */
export function digestText(digest: string, { copy = true, href }: { copy?: boolean; href?: string } = {}): VNode {
  const [algorithm = '', hex = ''] = digest.split(':');
  const short = html`<code class="digest" title=${digest}>${algorithm}:${hex.slice(0, 12)}</code>`;
  return html`<span class="digest-line">
    ${href === undefined ? short : html`<a href=${href}>${short}</a>`}${copy ? copyButton(digest, 'the digest') : ''}
  </span>`;
}
