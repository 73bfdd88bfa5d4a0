// SPDX-License-Identifier: Apache-2.0
import type { Figure, Scenario } from './scenarios.ts';

/** One server at one cell in one round. */
export interface Measured extends Figure {
  scenario: string;
  connections: number;
  server: string;
  round: number;
  /** The most bytes of memory that were seen meanwhile. */
  peak: number;
}

/** Bytes of memory of a server that answers nothing: just started, and after all reading. */
export interface Idle {
  server: string;
  round: number;
  before: number;
  after: number;
}

export interface Row {
  scenario: Scenario;
  connections: number;
  /** By server; medians over the rounds. */
  values: Map<string, Figure & { peak: number }>;
  /** How many times as good ours is as Docker registry 3; the median of the rounds' own ratios. */
  ratio: number | undefined;
}

export const OURS = 'uk';
export const PEER = 'registry-3';

export function rowsOf(all: readonly Measured[], scenarios: readonly Scenario[], servers: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    const mine = all.filter((figure) => figure.scenario === scenario.name);
    for (const connections of new Set(mine.map((figure) => figure.connections))) {
      const cell = mine.filter((figure) => figure.connections === connections);
      const values = new Map<string, Figure & { peak: number }>();
      for (const server of servers) {
        const rounds = cell.filter((figure) => figure.server === server);
        if (rounds.length === 0) continue;
        const of = (key: 'value' | 'p50' | 'p99' | 'peak') => median(rounds.map((figure) => figure[key]));
        values.set(server, { value: of('value'), p50: of('p50'), p99: of('p99'), peak: of('peak') });
      }
      rows.push({ scenario, connections, values, ratio: ratioOf(cell, scenario) });
    }
  }
  return rows;
}

/** What one round measured was measured side by side, so the ratio is taken there. */
function ratioOf(cell: readonly Measured[], { unit }: Scenario): number | undefined {
  const ratios = cell
    .filter(({ server }) => server === OURS)
    .flatMap(({ round, value }) => {
      const peer = cell.find((figure) => figure.server === PEER && figure.round === round)?.value;
      if (peer === undefined || unit === 'readers') return [];
      return [unit === 'ms' ? peer / value : value / peer];
    });
  return ratios.length === 0 ? undefined : median(ratios);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
