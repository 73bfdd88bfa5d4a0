// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import { html } from '../html.ts';

/** Lets the browser fetch a blob and hash it there: what the registry serves is then checked by somebody else. */
export function verifyButton(digest: string, size: number, address: string): VNode {
  return html`<span class="verify needs-script">
    <button type="button" data-verify=${address} data-digest=${digest} data-size=${size} aria-label=${`Verify ${digest.slice(0, 19)} in this browser`} title="Fetch it and compute its digest in this browser">
      Verify
    </button>
    <output aria-live="polite"></output>
  </span>`;
}
