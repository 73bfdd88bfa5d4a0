// SPDX-License-Identifier: Apache-2.0
import type { Image } from '../../browse/index.ts';
import type { ImagePart, Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import type { View } from '../view.ts';
import { bytes, moment } from './amounts.ts';
import { badge, facts } from './badges.ts';
import { digestText } from './copy.ts';
import { crumbs, shortReference } from './crumbs.ts';
import { type IconName, icon } from './icon.ts';
import { foreign } from './text.ts';

/** What the pages of an image have in common. */
export type ImageTab = 'overview' | 'files' | 'kernel' | 'attached' | 'packages' | 'document';

export function isUnikernel({ profile, variant, kind, platforms }: Image): boolean {
  return kind !== 'kernel' && (profile !== undefined || variant !== undefined || platforms.some((one) => one.profile));
}

/** Name, facts and tabs of an image. */
export function imageHead(
  image: Image,
  reference: string,
  { addresses, now }: View,
  current: ImageTab,
  rest: readonly Content[] = [],
): Content {
  const { repository } = image;
  const named: Named = { repository, reference };
  const profiles = image.profile === undefined ? [] : [image.profile];
  const platform = image.platform;
  return html`<div>
    ${crumbs(addresses, repository, { named, rest })}
    <div class="title">
      <h1><span class="dim">${repository}${reference.includes(':') ? '@' : ':'}</span>${shortReference(reference)}</h1>
      ${tabs(image, named, { addresses }, current)}
    </div>
    <div class="facts">
      ${facts({ ...image, profiles, variant: image.variant })}
      ${platform === undefined ? '' : badge(foreign(platform, { limit: 60 }), 'plain')}
      <span class="fact">${digestText(image.digest)}</span>
      <span class="fact">${bytes(image.size)}</span>
      ${image.pushed === undefined ? '' : html`<span class="fact">pushed ${moment(image.pushed, now)}</span>`}
      ${image.created === undefined ? '' : html`<span class="fact">built ${moment(image.created, now)}</span>`}
    </div>
  </div>`;
}

function tabs(image: Image, named: Named, { addresses }: Pick<View, 'addresses'>, current: ImageTab): Content {
  const tab = (id: ImageTab, text: string, name: IconName, address: string, count?: number) =>
    html`<a href=${address} aria-current=${id === current ? 'page' : undefined}>
      ${icon(name)}${text}${count === undefined || count === 0 ? '' : html` <span class="count">${count}</span>`}
    </a>`;
  const part = (name: ImagePart) => addresses.imagePart(named, name);
  const hasFiles = image.kind === 'image' || image.kind === 'kernel';
  const hasKernel = isUnikernel(image) || image.kind === 'kernel';
  return html`<nav class="tabs" aria-label="Image">
    ${tab('overview', 'Overview', 'info', addresses.image(named))}
    ${hasFiles ? tab('files', 'Files', 'file-directory-fill', part('files')) : ''}
    ${hasKernel && image.kind !== 'index' ? tab('kernel', 'Kernel', 'cpu', part('kernel')) : ''}
    ${tab('attached', 'Attached', 'paperclip', part('attached'), image.referrers)}
    ${hasFiles ? tab('packages', 'Packages', 'list-unordered', part('packages')) : ''}
    ${tab('document', 'Manifest', 'code', part('document'))}
  </nav>`;
}
