// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import type { Addresses, Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';

/** Where a page stands: the folders of a repository's name, the repository, the image, and what is looked at of it. */
export function crumbs(
  addresses: Addresses,
  repository: string,
  { named, rest = [] }: { named?: Named; rest?: readonly Content[] } = {},
): VNode {
  const parts = repository.split('/');
  const name = parts.pop() ?? '';
  return html`<nav class="crumbs" aria-label="Where this is">
    <ol>
      <li><a href=${addresses.repositories()}>All</a></li>
      ${parts.map((part, at) => {
        const folder = parts.slice(0, at + 1).join('/');
        return html`<li><a href=${addresses.repositories({ folder })}>${part}</a></li>`;
      })}
      <li><a href=${addresses.repository(repository)}>${name}</a></li>
      ${named === undefined ? '' : html`<li><a href=${addresses.image(named)}>${shortReference(named.reference)}</a></li>`}
      ${rest.map((part) => html`<li>${part}</li>`)}
    </ol>
  </nav>`;
}

/** A tag as it is, a digest by its first twelve digits. */
export function shortReference(reference: string): string {
  const colon = reference.indexOf(':');
  return colon < 0 ? reference : reference.slice(0, colon + 13);
}
