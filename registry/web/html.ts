// SPDX-License-Identifier: Apache-2.0
import { html as template } from 'htm/preact';
import type { VNode } from 'preact';

/** What may stand in a page. Texts are escaped when the page is rendered. */
export type Content = VNode | string | number | bigint | boolean | null | undefined | readonly Content[];

/** Markup as in JSX, without a compiler: `html\`<p>${text}</p>\`` (htm). */
export const html = template as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

/** What a component is given between its tags. */
export interface WithChildren {
  children?: Content;
}
