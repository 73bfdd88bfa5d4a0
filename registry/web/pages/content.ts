// SPDX-License-Identifier: Apache-2.0
import { type Content, html } from '../html.ts';
import { digestText } from '../parts/copy.ts';
import { imageHead } from '../parts/image-head.ts';
import { readableJson } from '../parts/json.ts';
import { notice } from '../parts/making.ts';
import { foreign, foreignLines } from '../parts/text.ts';
import { layerOf } from '../query.ts';
import type { Page, View } from '../view.ts';

const MOST = 512 * 1024;

/** What is in one part of an artifact: a signature, a statement, a chart's values. */
export async function contentPage(repository: string, reference: string, view: View): Promise<Page> {
  const layer = layerOf(view.query) ?? 0;
  const [image, content] = await Promise.all([
    view.browse.image(repository, reference),
    view.browse.artifact(repository, reference, layer),
  ]);
  const block = (title: string, text: string): Content => html`<section>
    <h3>${title}</h3>
    <pre class="file" tabindex="0" role="group" aria-label=${title}><code>${foreignLines(readableJson(text), MOST)}</code></pre>
  </section>`;
  const body = html`<div>
    ${imageHead(image, reference, view, 'overview', ['content'])}
    <h2>Content</h2>
    <div class="facts"><code class="fact">${foreign(content.mediaType, { limit: 200 })}</code><span class="fact">${digestText(content.blob)}</span></div>
    ${content.cut ? notice('note', 'Only the start is shown.') : ''}
    ${content.payload === undefined ? '' : block('Statement', content.payload)}
    ${content.text === undefined ? html`<p class="empty">It is no text.</p>` : block(content.payload === undefined ? 'Text' : 'Envelope', content.text)}
  </div>`;
  return { title: `Content in ${repository}`, body, section: 'repositories' };
}
