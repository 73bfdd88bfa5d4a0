// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { MOST_ROWS, type PageQuery, USUAL_ROWS } from './types/paging.ts';

export interface Cut<T> {
  page: number;
  size: number;
  matched: number;
  rows: T[];
}

/** Cuts a page out of a list. A page behind the last one is empty. @throws RegistryError `PARAMETER_INVALID` */
export function cutPage<T>(all: readonly T[], query: PageQuery): Cut<T> {
  const { page, size } = checkPage(query);
  return { page, size, matched: all.length, rows: all.slice((page - 1) * size, page * size) };
}

/** @throws RegistryError `PARAMETER_INVALID` */
export function checkPage({ page = 1, size = USUAL_ROWS }: PageQuery): { page: number; size: number } {
  if (!Number.isSafeInteger(page) || page < 1) throw invalid('page', 'a number from 1 on');
  if (!Number.isSafeInteger(size) || size < 1 || size > MOST_ROWS) throw invalid('size', `1 to ${MOST_ROWS}`);
  return { page, size };
}

/** The words of a search, in lower case; a search has at most 200 characters. */
export function wordsOf(search: string | undefined): string[] {
  return (search ?? '').slice(0, 200).toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether all words stand in the text, in any case. */
export function matches(text: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function invalid(name: string, wanted: string): RegistryError {
  return new RegistryError('PARAMETER_INVALID', `the parameter ${name} is ${wanted}`);
}
