// SPDX-License-Identifier: Apache-2.0
import type { Referrer } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { foreign } from './text.ts';

/** By whom, as the signature says. */
export function signerText({ signer, artifactType, mediaType }: Referrer): Content {
  if (signer === undefined)
    return html`<span>a signature (${foreign(artifactType ?? mediaType, { limit: 100 })})</span>`;
  const by =
    signer.name === undefined ? 'with a key, without a name' : html`by <b>${foreign(signer.name, { limit: 300 })}</b>`;
  return html`<span>
    ${by}${signer.issuer === undefined ? '' : html`, vouched for by ${foreign(signer.issuer, { limit: 300 })}`}
    <span class="dim"> (${signer.format})</span>
  </span>`;
}
