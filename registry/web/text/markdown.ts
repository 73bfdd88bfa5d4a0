// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import MarkdownIt from 'markdown-it';
import { visible } from './visible.ts';

/** Characters of a README that are shown. Some texts take the parser time that grows with the square of their length. */
const LONGEST = 32_000;

/** Where a README may lead. markdown-it itself refuses `javascript:` and the like; this leaves only what is useful. */
const ALLOWED = /^(?:https?:\/\/|mailto:|#)/i;

const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false });
markdown.validateLink = (url) => ALLOWED.test(url.trim());

// The headings of a README stand below those of the page.
const deeper = (tag: string) => `h${Math.min(Number(tag.slice(1)) + 2, 6)}`;
for (const rule of ['heading_open', 'heading_close']) {
  markdown.renderer.rules[rule] = (tokens, at, options, _env, self) => {
    const token = tokens[at];
    if (token !== undefined) token.tag = deeper(token.tag);
    return self.renderToken(tokens, at, options);
  };
}
markdown.renderer.rules.link_open = (tokens, at, options, _env, self) => {
  tokens[at]?.attrSet('rel', 'nofollow noopener noreferrer');
  return self.renderToken(tokens, at, options);
};
// A picture would be fetched from another host, which then knows who reads; the page's policy forbids it.
markdown.renderer.rules.image = (tokens, at) => {
  const token = tokens[at];
  const address = markdown.utils.escapeHtml(String(token?.attrGet('src') ?? ''));
  const text = markdown.utils.escapeHtml(token?.content || 'picture');
  return `<a href="${address}" rel="nofollow noopener noreferrer">${text}</a>`;
};
// Columns are aligned by inline styles, which the page's policy forbids.
for (const rule of ['th_open', 'td_open']) {
  markdown.renderer.rules[rule] = (tokens, at, options, _env, self) => {
    const token = tokens[at];
    const align = /text-align:(left|right|center)/.exec(String(token?.attrGet('style') ?? ''))?.[1];
    if (token !== undefined) token.attrs = align === undefined ? null : [['class', `align-${align}`]];
    return self.renderToken(tokens, at, options);
  };
}
// Wide tables and blocks of code scroll by themselves, with the keyboard too.
for (const rule of ['fence', 'code_block']) {
  markdown.renderer.rules[rule] = (tokens, at) =>
    `<pre tabindex="0" role="group" aria-label="code"><code>${markdown.utils.escapeHtml(tokens[at]?.content ?? '')}</code></pre>\n`;
}
markdown.renderer.rules.table_open = () => '<div class="scroll" tabindex="0" role="region" aria-label="table"><table>';
markdown.renderer.rules.table_close = () => '</table></div>';

/** Rendered READMEs, so that a slow one costs its time once. */
const rendered = new LRUCache<string, string>({ max: 100 });

/** A foreign README as HTML that is safe to put into a page: no HTML of its own, no pictures, no hidden characters. */
export function renderMarkdown(text: string): string {
  const shown = visible(text.replaceAll('\r\n', '\n'), { lines: true, limit: LONGEST });
  const known = rendered.get(shown);
  if (known !== undefined) return known;
  const html = markdown.render(shown);
  rendered.set(shown, html);
  return html;
}
