// SPDX-License-Identifier: Apache-2.0
import { OURS, PEER, type Row } from './figures.ts';

/** At how many connections the targets are set. */
const CONNECTIONS = 16;

/** How many times as fast as Docker registry 3. */
const RATIOS: Readonly<Record<string, number>> = {
  'manifest-by-tag': 1.5,
  'manifest-by-digest': 1.5,
  'manifest-head': 1.5,
  'blob-head': 1.5,
  'blob-4m': 1.1,
  'blob-64m': 1,
  'tags-1000': 5,
  'push-4m': 1.5,
  'push-64m': 1.5,
  'push-4m-streamed': 1.5,
  'push-64m-streamed': 1.5,
};
/** The first page of many tags against that of few, of ours alone. */
const PAGES = 0.5;

export interface Verdict {
  target: string;
  wanted: number;
  got: number;
  reached: boolean;
}

/** The targets that this run can say something about. */
export function verdicts(rows: readonly Row[]): Verdict[] {
  const at = (name: string) =>
    rows.find(({ scenario, connections }) => scenario.name === name && connections === CONNECTIONS);
  const found: Verdict[] = [];
  const add = (target: string, wanted: number, got: number | undefined) => {
    if (got !== undefined && !Number.isNaN(got)) found.push({ target, wanted, got, reached: got >= wanted });
  };
  for (const [name, wanted] of Object.entries(RATIOS)) add(at(name)?.scenario.what ?? name, wanted, at(name)?.ratio);
  const few = at('tags-1000-page')?.values.get(OURS)?.value;
  const many = at('tags-many-page')?.values.get(OURS)?.value;
  if (few !== undefined && many !== undefined) add('first page of many tags, against that of 1,000', PAGES, many / few);
  const peaks = (server: string) => rows.map(({ values }) => values.get(server)?.peak ?? Number.NaN);
  add("peak memory of all cells, the peer's to ours", 1, largest(peaks(PEER)) / largest(peaks(OURS)));
  return found;
}

function largest(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : Math.max(...known);
}
