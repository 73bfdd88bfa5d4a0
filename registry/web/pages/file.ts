// SPDX-License-Identifier: Apache-2.0
import type { FileView } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { bytes, moment } from '../parts/amounts.ts';
import { digestText } from '../parts/copy.ts';
import { hexDump } from '../parts/hex.ts';
import { icon } from '../parts/icon.ts';
import { imageHead } from '../parts/image-head.ts';
import { made, notice } from '../parts/making.ts';
import { formatMode, owner } from '../parts/mode.ts';
import { foreign, foreignLines } from '../parts/text.ts';
import { layerOf } from '../query.ts';
import type { Page, View } from '../view.ts';

/** Characters of a text that a page shows. */
const MOST_TEXT = 256 * 1024;

/** One file: what it is, the start of its text or bytes, and its download. */
export async function filePage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, query } = view;
  const layer = layerOf(query);
  const path = query.get('path') ?? '';
  const named = { repository, reference };
  const [image, found] = await Promise.all([
    browse.image(repository, reference),
    browse.file({ ...named, layer }, path),
  ]);
  const body = html`<div>
    ${imageHead(image, reference, view, 'files')}
    <h2>${folders(path, layer, named, view)}</h2>
    ${made(found, 'file', (file) => content(file, path, layer, named, view), 'The file')}
  </div>`;
  return { title: `/${path} in ${repository}`, body, section: 'repositories' };
}

function folders(path: string, layer: number | undefined, named: Named, { addresses }: View): Content {
  const parts = path.split('/');
  const to = (folder: string) => addresses.imagePart(named, 'files', { path: folder, layer });
  return html`<span class="path">
    <a href=${to('')} aria-label="Root folder">/</a>${parts.map((part, at) => (at === parts.length - 1 ? foreign(part, { limit: 200 }) : html`<a href=${to(parts.slice(0, at + 1).join('/'))}>${foreign(part, { limit: 120 })}</a>/`))}
  </span>`;
}

function content(file: FileView, path: string, layer: number | undefined, named: Named, view: View): Content {
  const { addresses, now } = view;
  return html`<div>
    <div class="facts">
      <span class="fact">${bytes(file.size)}</span>
      ${file.mode === undefined ? '' : html`<code class="fact">${formatMode(file)}</code>`}
      ${file.uid === undefined ? '' : html`<span class="fact">owner ${owner(file)}</span>`}
      ${file.mtime === undefined ? '' : html`<span class="fact">changed ${moment(file.mtime * 1000, now)}</span>`}
      <span class="fact">layer <a href=${addresses.imagePart(named, 'files', { layer: file.layer })}>${file.layer + 1}</a> ${digestText(file.blob)}</span>
      ${file.target === undefined ? '' : html`<span class="fact">→ ${foreign(file.target)}</span>`}
      ${file.type === 'file' || file.type === 'hardlink' || file.type === 'symlink' ? html`<a class="button fact" href=${addresses.imagePart(named, 'download', { path, layer })} download="">${icon('download')} Download</a>` : ''}
    </div>
    ${file.cut ? notice('note', html`The first ${bytes(file.shown)} are shown.`) : ''}
    ${shownContent(file)}
  </div>`;
}

function shownContent(file: FileView): Content {
  switch (file.view) {
    case 'text':
      return file.content === ''
        ? html`<p class="empty">The file is empty.</p>`
        : html`<pre class="file" tabindex="0" role="group" aria-label="Text of the file"><code>${foreignLines(file.content, MOST_TEXT)}</code></pre>`;
    case 'hex':
      return html`<pre class="file hex" tabindex="0" role="group" aria-label="Bytes of the file"><code>${hexDump(file.content)}</code></pre>`;
    default:
      return html`<p class="empty">There is no content to show.</p>`;
  }
}
