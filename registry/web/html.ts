// SPDX-License-Identifier: Apache-2.0
import { html } from 'htm/preact';
import type { VNode } from 'preact';

/** Markup as in JSX, without a compiler: `html\`<p>${text}</p>\`` (htm). */
export { html };

/** What may stand in a page. Texts are escaped when the page is rendered. */
export type Content = VNode | string | number | bigint | boolean | null | undefined | readonly Content[];
