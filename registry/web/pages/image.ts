// SPDX-License-Identifier: Apache-2.0
import type { Image, Referrer } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { bytes } from '../parts/amounts.ts';
import { commandBox } from '../parts/commands.ts';
import { configSection, pairs } from '../parts/config.ts';
import { digestText } from '../parts/copy.ts';
import { icon } from '../parts/icon.ts';
import { imageHead, isUnikernel } from '../parts/image-head.ts';
import { historySection, layersSection } from '../parts/layers.ts';
import { notice } from '../parts/making.ts';
import { platformName } from '../parts/platforms.ts';
import { signerText } from '../parts/signer.ts';
import { type TableRow, table } from '../parts/table.ts';
import { foreign } from '../parts/text.ts';
import type { Page, View } from '../view.ts';

/** One manifest: what it is made of, how it runs, who signed it. */
export async function imagePage(repository: string, reference: string, view: View): Promise<Page> {
  const { browse, publicAddress } = view;
  const image = await browse.image(repository, reference);
  const tree = image.signed ? await browse.referrers(repository, image.digest) : undefined;
  const tag = reference.includes(':') ? undefined : reference;
  const body = html`<div>
    ${imageHead(image, reference, view, 'overview')}
    ${image.warnings.map((warning) => notice('warning', foreign(warning)))}
    <div class="columns">
      <div>
        ${image.kind === 'index' ? platformsSection(image, view) : layersSection(image, reference, view)}
        ${historySection(image, view)} ${configSection(image)} ${chartSection(image)}
        ${pairs('Annotations', image.annotations)}
      </div>
      <aside>
        <section class="box" aria-labelledby="get">
          <h2 id="get">Get it</h2>
          ${commandBox({ ...image, tag: tag ?? image.tags[0], isUnikernel: isUnikernel(image) }, publicAddress, { open: tag === undefined })}
        </section>
        ${tree === undefined ? '' : signatures(tree.referrers, image, reference, view)}
        ${relations(image, view)}
      </aside>
    </div>
  </div>`;
  return { title: `${repository}${tag === undefined ? '@' : ':'}${reference}`, body, section: 'repositories' };
}

function platformsSection({ repository, platforms, platformCount }: Image, { addresses }: View): Content {
  const rows = platforms.map(
    (platform): TableRow => ({
      cells: [
        html`<a class="name" href=${addresses.image({ repository, reference: platform.digest })}>${platform.attestation ? 'attestation' : platformName(platform)}</a>`,
        digestText(platform.digest),
        platform.size === undefined ? html`<span class="dim">not held here</span>` : bytes(platform.size),
      ],
    }),
  );
  return html`<section aria-labelledby="platforms">
    <h2 id="platforms">Platforms <span class="count">${platformCount}</span></h2>
    ${table({ caption: 'Images of this index', columns: [{ label: 'Platform', kind: 'main' }, { label: 'Digest' }, { label: 'Size', kind: 'number' }], rows })}
    ${platformCount > platforms.length ? html`<p class="dim">${platformCount - platforms.length} more are in the manifest.</p>` : ''}
  </section>`;
}

function signatures(referrers: readonly Referrer[], image: Image, reference: string, { addresses }: View): Content {
  const found = referrers.filter(({ kind }) => kind === 'signature');
  const attached = addresses.imagePart({ repository: image.repository, reference }, 'attached');
  return html`<section class="box" aria-labelledby="signed">
    <h2 id="signed">${icon('shield-check')} Signed</h2>
    <ul class="plain-list">
      ${found.slice(0, 8).map((one) => html`<li>${signerText(one)}</li>`)}
    </ul>
    <p class="dim">
      The registry shows who signed, and does not verify it. <a href=${attached}>All that is attached</a>
    </p>
  </section>`;
}

function relations(image: Image, { addresses }: View): Content {
  const { repository, tags, partOf, subject } = image;
  if (tags.length === 0 && partOf.length === 0 && subject === undefined) return '';
  const to = (digest: string) =>
    digestText(digest, { href: addresses.image({ repository, reference: digest }), copy: false });
  return html`<section class="box" aria-labelledby="names">
    <h2 id="names">${tags.length > 0 ? 'Tags' : 'Belongs to'}</h2>
    <ul class="plain-list">
      ${tags.slice(0, 30).map((tag) => html`<li><a class="fact" href=${addresses.image({ repository, reference: tag })}>${icon('tag')}${tag}</a></li>`)}
      ${tags.length > 30 ? html`<li class="dim">${tags.length - 30} more tags</li>` : ''}
      ${partOf.slice(0, 30).map((digest) => html`<li>in the index ${to(digest)}</li>`)}
      ${subject === undefined ? '' : html`<li>attached to ${to(subject.digest)}</li>`}
    </ul>
  </section>`;
}

function chartSection({ chart }: Image): Content {
  if (chart === undefined) return '';
  const entries = Object.entries(chart).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return pairs('Chart', Object.fromEntries(entries));
}
