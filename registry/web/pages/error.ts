// SPDX-License-Identifier: Apache-2.0
import { html } from '../html.ts';
import { foreign } from '../parts/text.ts';
import type { Page, View } from '../view.ts';

/** What an answer that is an error says. */
export interface Failure {
  status: number;
  code: string;
  message: string;
  hint?: string | undefined;
}

const TITLES: Record<number, string> = {
  400: 'This cannot be asked',
  404: 'There is nothing here',
  405: 'This cannot be done here',
  422: 'This cannot be shown',
  503: 'Not now',
  507: 'The storage is full',
};

export function errorPage({ status, code, message, hint }: Failure, { addresses }: View): Page {
  const title = TITLES[status] ?? 'Something failed';
  const body = html`<div class="failure">
    <p class="dim">${status} ${code}</p>
    <h1>${title}</h1>
    <p>${foreign(message, { limit: 600 })}</p>
    ${hint === undefined ? '' : html`<p class="dim">${foreign(hint, { limit: 300 })}</p>`}
    <p><a class="button" href=${addresses.repositories()}>All repositories</a></p>
  </div>`;
  return { title, body, status };
}
