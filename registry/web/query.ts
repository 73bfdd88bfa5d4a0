// SPDX-License-Identifier: Apache-2.0

/** Longest search that is looked for; what is longer finds nothing either. */
const LONGEST_SEARCH = 200;

/** What somebody typed; undefined where that is nothing. */
export function searchOf(query: URLSearchParams): string | undefined {
  return query.get('q')?.trim().slice(0, LONGEST_SEARCH) || undefined;
}

/** From 1. What is no number is the first page. */
export function pageOf(query: URLSearchParams): number {
  const page = query.get('page') ?? '1';
  return /^[1-9][0-9]{0,6}$/.test(page) ? Number(page) : 1;
}

/** One of several words; what is none of them is the first. */
export function choiceOf<T extends string>(query: URLSearchParams, name: string, choices: readonly [T, ...T[]]): T {
  const text = query.get(name);
  return choices.find((choice) => choice === text) ?? choices[0];
}

/** A number of a layer; undefined where there is none. */
export function layerOf(query: URLSearchParams): number | undefined {
  const text = query.get('layer') ?? '';
  return /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
}
