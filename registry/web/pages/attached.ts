// SPDX-License-Identifier: Apache-2.0
import type { Referrer, ReferrerKind } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { bytes, moment } from '../parts/amounts.ts';
import { badge } from '../parts/badges.ts';
import { pairs } from '../parts/config.ts';
import { digestText } from '../parts/copy.ts';
import { type IconName, icon } from '../parts/icon.ts';
import { imageHead } from '../parts/image-head.ts';
import { signerText } from '../parts/signer.ts';
import { amount, foreign } from '../parts/text.ts';
import type { Page, View } from '../view.ts';

const KINDS: Record<ReferrerKind, [name: string, icon: IconName]> = {
  signature: ['Signature', 'shield-check'],
  sbom: ['SBOM', 'list-unordered'],
  provenance: ['Provenance', 'history'],
  attestation: ['Attestation', 'check-circle'],
  delta: ['Delta', 'git-compare'],
  readme: ['README', 'file'],
  other: ['Artifact', 'archive'],
};

/** What refers to an image, as a tree: signatures, SBOMs, provenance, and what refers to those. */
export async function attachedPage(repository: string, reference: string, view: View): Promise<Page> {
  const [image, tree] = await Promise.all([
    view.browse.image(repository, reference),
    view.browse.referrers(repository, reference),
  ]);
  const body = html`<div>
    ${imageHead(image, reference, view, 'attached')}
    <section aria-labelledby="attached">
      <h2 id="attached">Attached <span class="count">${tree.count.toLocaleString('en')}</span></h2>
      <p class="dim">Signatures and statements are shown as they are. The registry does not verify them.</p>
      ${tree.referrers.length === 0 ? html`<p class="empty">Nothing refers to this ${image.kind === 'index' ? 'index' : 'manifest'}.</p>` : list(tree.referrers, repository, view)}
      ${tree.more ? html`<p class="dim">There are more than are shown.</p>` : ''}
    </section>
  </div>`;
  return { title: `Attached to ${repository}`, body, section: 'repositories' };
}

function list(referrers: readonly Referrer[], repository: string, view: View): Content {
  return html`<ul class="tree">${referrers.map((one) => item(one, repository, view))}</ul>`;
}

function item(referrer: Referrer, repository: string, view: View): Content {
  const { addresses, now } = view;
  const named = { repository, reference: referrer.digest };
  const [name, picture] = KINDS[referrer.kind];
  const what = referrer.predicateType ?? referrer.artifactType ?? referrer.mediaType;
  return html`<li>
    <div class="node">
      <p>
        ${icon(picture)} <a class="name" href=${addresses.image(named)}>${name}</a>
        ${referrer.signer === undefined ? '' : html` ${signerText(referrer)}`}
        ${referrer.repeated ? badge('stands further up already', 'plain') : ''}
        ${referrer.foundBy === 'tag' ? badge('found by its tag', 'plain') : ''}
      </p>
      <p class="dim">
        <code>${foreign(what, { limit: 160 })}</code> · ${digestText(referrer.digest)} · ${bytes(referrer.size)}
        ${referrer.created === undefined ? '' : html` · ${moment(referrer.created, now)}`}
      </p>
      <p class="actions">
        ${referrer.kind === 'sbom' ? html`<a href=${addresses.imagePart(named, 'packages')}>${icon('list-unordered')} Packages</a>` : ''}
        ${referrer.layers.slice(0, 20).map((_, at) => html`<a href=${addresses.imagePart(named, 'content', { layer: at })}>${icon('code')} ${referrer.layers.length === 1 ? 'Content' : `Content ${at + 1}`}</a>`)}
        ${referrer.layers.length > 20 ? html`<span class="dim">${amount(referrer.layers.length - 20, 'more part')}</span>` : ''}
      </p>
      ${Object.keys(referrer.annotations).length === 0 ? '' : html`<details><summary>Annotations</summary>${pairs('Annotations', referrer.annotations)}</details>`}
    </div>
    ${referrer.referrers.length === 0 ? '' : list(referrer.referrers, repository, view)}
  </li>`;
}
