// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { NamePage } from '../service/catalog.ts';

const EVERYTHING = Number.MAX_SAFE_INTEGER - 1;

export interface Page {
  limit: number;
  last: string | undefined;
}

/** `n` and `last` (distribution-spec, "Listing Tags"); without `n` there is no limit. @throws `PARAMETER_INVALID` */
export function parsePage(query: URLSearchParams): Page {
  const n = query.get('n');
  if (n !== null && !/^[0-9]+$/.test(n)) {
    throw new RegistryError('PARAMETER_INVALID', `the parameter n=${n.slice(0, 40)} is not a number`, {
      hint: 'give a whole number, 0 or more',
    });
  }
  return { limit: n === null ? EVERYTHING : Math.min(Number(n), EVERYTHING), last: query.get('last') ?? undefined };
}

/** The header for the page behind this one; none on the last page, and none where nothing was asked for. */
export function linkHeader(path: string, page: Page, { names, more }: NamePage): { Link?: string } {
  const last = names.at(-1);
  if (!more || last === undefined) return {};
  return { Link: nextLink(path, { n: String(page.limit), last }) };
}

export function nextLink(path: string, parameters: Record<string, string>): string {
  return `<${path}?${new URLSearchParams(parameters)}>; rel="next"`;
}
