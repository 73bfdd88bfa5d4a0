// SPDX-License-Identifier: Apache-2.0
import type { Document, LinkedDescriptor } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import { bytes } from '../parts/amounts.ts';
import { digestText } from '../parts/copy.ts';
import { icon } from '../parts/icon.ts';
import { imageHead } from '../parts/image-head.ts';
import { linkedText, readableJson } from '../parts/json.ts';
import { notice } from '../parts/making.ts';
import { mediaTypeName } from '../parts/media-types.ts';
import { foreign } from '../parts/text.ts';
import { verifyButton } from '../parts/verify.ts';
import type { Page, View } from '../view.ts';

/** The manifest and the config as they came. */
export async function documentPage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, query } = view;
  const image = await browse.image(repository, reference);
  const wantsConfig = query.get('part') === 'config' && image.config !== undefined;
  const document = await browse.document(repository, reference, wantsConfig ? 'config' : 'manifest');
  const named = { repository, reference };
  const link = wantsConfig ? image.config?.link : image.link;
  const body = html`<div>
    ${imageHead(image, reference, view, 'document')}
    <nav class="chips" aria-label="Documents">
      <a href=${view.addresses.imagePart(named, 'document')} aria-current=${wantsConfig ? undefined : 'true'}>Manifest</a>
      ${image.config === undefined ? '' : html`<a href=${view.addresses.imagePart(named, 'document', { part: 'config' })} aria-current=${wantsConfig ? 'true' : undefined}>Config</a>`}
    </nav>
    ${shown(document, named, link, view)}
  </div>`;
  return { title: `${wantsConfig ? 'Config' : 'Manifest'} of ${repository}`, body, section: 'repositories' };
}

function shown(document: Document, named: Named, link: string | undefined, { addresses }: View): Content {
  const { mediaType, digest, size, text, cut, descriptors } = document;
  const name = mediaTypeName(mediaType);
  return html`<div>
    <div class="facts">
      ${name === undefined ? '' : html`<b>${name}</b>`}<code class="fact">${foreign(mediaType, { limit: 200 })}</code>
      <span class="fact">${digestText(digest)}</span><span class="fact">${bytes(size)}</span>
      ${link === undefined ? '' : html`<a class="fact" href=${addresses.protocol(link)}>${icon('download')} raw</a>`}
      ${link === undefined ? '' : verifyButton(digest, size, addresses.bytes(link))}
    </div>
    ${cut ? notice('note', 'Only the start is shown.') : ''}
    <pre class="file" tabindex="0" role="group" aria-label="Text of the document"><code>${linkedText(cut ? text : readableJson(text), descriptors, (descriptor) => addressOf(descriptor, named, addresses))}</code></pre>
  </div>`;
}

const MANIFEST = /\b(?:manifest|image\.index)\b.*\+json$|distribution\.manifest/;

function addressOf(
  descriptor: LinkedDescriptor,
  { repository, reference }: Named,
  addresses: View['addresses'],
): string | undefined {
  if (descriptor.link === undefined) return undefined;
  if (MANIFEST.test(descriptor.mediaType)) return addresses.image({ repository, reference: descriptor.digest });
  if (/\bconfig\b|container\.image/.test(descriptor.mediaType)) {
    return addresses.imagePart({ repository, reference }, 'document', { part: 'config' });
  }
  return addresses.protocol(descriptor.link);
}
