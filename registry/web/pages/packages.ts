// SPDX-License-Identifier: Apache-2.0
import { html } from '../html.ts';
import { digestText } from '../parts/copy.ts';
import { imageHead } from '../parts/image-head.ts';
import { counted, pager } from '../parts/paging.ts';
import { RESULTS, searchForm } from '../parts/search.ts';
import { table } from '../parts/table.ts';
import { foreign } from '../parts/text.ts';
import { pageOf, searchOf } from '../query.ts';
import type { Page, View } from '../view.ts';

const FORMATS = { spdx: 'SPDX', cyclonedx: 'CycloneDX', syft: 'Syft' } as const;

/** What the SBOM of an image lists. */
export async function packagesPage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, addresses, query } = view;
  const search = searchOf(query);
  const named = { repository, reference };
  const [image, found] = await Promise.all([
    browse.image(repository, reference),
    browse.packages(repository, reference, { search, page: pageOf(query) }),
  ]);
  const list =
    found === undefined
      ? html`<p class="empty">No SBOM is attached, so what packages are in it is not known.</p>`
      : html`<div id=${RESULTS}>
          ${counted(found, 'package')}
          ${table({
            caption: 'Packages',
            className: 'dense',
            columns: [{ label: 'Name', kind: 'main' }, { label: 'Version' }, { label: 'Type' }, { label: 'Licence' }],
            rows: found.rows.map(({ name, version = '', type = '', license = '', purl }) => [
              html`<span title=${purl === undefined ? undefined : purl.slice(0, 300)}>${foreign(name, { limit: 200 })}</span>`,
              html`<code>${foreign(version, { limit: 100 })}</code>`,
              foreign(type, { limit: 40 }),
              foreign(license, { limit: 200 }),
            ]),
          })}
          ${pager(found, (page) => addresses.imagePart(named, 'packages', { q: search, page }))}
        </div>`;
  const body = html`<div>
    ${imageHead(image, reference, view, 'packages')}
    <div class="title small">
      <h2>Packages</h2>
      ${found === undefined ? '' : searchForm({ label: 'Search packages', value: search ?? '', action: addresses.imagePart(named, 'packages') })}
    </div>
    ${found === undefined ? '' : html`<p class="dim">From the ${FORMATS[found.format]} document ${digestText(found.digest, { href: addresses.image({ repository, reference: found.digest }), copy: false })}</p>`}
    ${list}
  </div>`;
  return { title: `Packages in ${repository}`, body, section: 'repositories' };
}
