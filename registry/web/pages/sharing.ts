// SPDX-License-Identifier: Apache-2.0
import { html } from '../html.ts';
import { digestText } from '../parts/copy.ts';
import { icon } from '../parts/icon.ts';
import { imageHead } from '../parts/image-head.ts';
import { layerName } from '../parts/layers.ts';
import { making } from '../parts/making.ts';
import { counted, pager } from '../parts/paging.ts';
import { table } from '../parts/table.ts';
import { foreign } from '../parts/text.ts';
import { pageOf } from '../query.ts';
import type { Page, View } from '../view.ts';

const TAGS = 12;
/** A page shows what is known by then, and asks again for the rest. */
const WAIT_MS = 150;

/** Which other images have a layer. */
export async function sharingPage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const digest = query.get('digest') ?? '';
  const [image, found] = await Promise.all([
    browse.image(repository, reference),
    browse.sharing({ repository, digest, page: pageOf(query), waitMs: WAIT_MS }),
  ]);
  const layer = image.layers.find((one) => one.digest === digest);
  const name = layer === undefined ? 'this layer' : `the layer “${layerName(layer)}”`;
  const rows = found.rows.map((row) => [
    html`<a class="name" href=${addresses.repository(row.repository)}>${icon('package')}<span>${row.repository}</span></a>`,
    html`<ul class="plain-list">
      ${row.images === undefined ? html`<li class="dim">…</li>` : ''}
      ${(row.images ?? []).map(
        ({ digest, tags }) => html`<li>
        ${digestText(digest, { href: addresses.image({ repository: row.repository, reference: digest }), copy: false })}
        ${' '}${tags.slice(0, TAGS).map((tag) => html`<a class="badge plain" href=${addresses.image({ repository: row.repository, reference: tag })}>${tag}</a> `)}
        ${tags.length > TAGS ? html`<span class="dim">${tags.length - TAGS} more</span>` : ''}
      </li>`,
      )}
      ${row.more ? html`<li class="dim">and more</li>` : ''}
    </ul>`,
  ]);
  const body = html`<div>
    ${imageHead(image, reference, view, 'overview', ['shared'])}
    <section aria-labelledby="sharing">
      <h2 id="sharing">Images that share ${foreign(name, { limit: 120 })}</h2>
      <p>${digestText(digest)}</p>
      ${counted(found, 'repository', 'repositories')}
      ${found.making === undefined ? '' : making('reading', found.making, 'What each repository has')}
      ${rows.length === 0 ? html`<p class="empty">No other image has it.</p>` : table({ caption: 'Images that share the layer', columns: [{ label: 'Repository', kind: 'main' }, { label: 'Images' }], rows })}
      ${pager(found, (page) => addresses.imagePart({ repository, reference }, 'sharing', { digest, page }))}
    </section>
  </div>`;
  return { title: `Shared layer of ${repository}`, body, section: 'repositories' };
}
