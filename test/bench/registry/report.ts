// SPDX-License-Identifier: Apache-2.0
import { cpus, release, totalmem } from 'node:os';
import { type Idle, median, PEER, type Row } from './figures.ts';
import type { Figure } from './scenarios.ts';
import { verdicts } from './targets.ts';

const MIB = 1024 * 1024;

export interface About {
  machine: string;
  date: string;
  command: string;
  rounds: number;
  seconds: number;
  servers: { name: string; version: string }[];
  missing: { name: string; why: string }[];
  manyTags: number;
}

export const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}, Node ${process.version}`;

/** The tables for people. */
export function report(about: About, rows: readonly Row[], idle: readonly Idle[]): string {
  const names = about.servers.map(({ name }) => name);
  const lines = [
    about.machine,
    `${about.date}: ${about.command}`,
    `${about.rounds} rounds in turn, ${about.seconds} s a cell, medians; many tags: ${about.manyTags}`,
    ...about.servers.map(({ name, version }) => `${name}: ${version}`),
    ...about.missing.map(({ name, why }) => `${name} is left out: ${why}`),
    '',
    ...table(
      ['', 'connections', 'unit', ...names, `× ${PEER}`],
      rows.map(({ scenario, connections, values, ratio }) => [
        scenario.what,
        String(connections),
        scenario.unit,
        ...names.map((name) => shown(values.get(name))),
        ratio === undefined ? '' : ratio.toFixed(2),
      ]),
    ),
    '',
    ...table(
      ['', 'connections', ...names.map((name) => `99 %, ms: ${name}`), ...names.map((name) => `peak, MiB: ${name}`)],
      rows.map(({ scenario, connections, values }) => [
        scenario.what,
        String(connections),
        ...names.map((name) => number((values.get(name)?.p99 ?? Number.NaN) / 1000, 1)),
        ...names.map((name) => number((values.get(name)?.peak ?? Number.NaN) / MIB)),
      ]),
    ),
    '',
    ...table(
      ['memory at rest, MiB', ...names],
      (['before', 'after'] as const).map((when) => [
        when === 'before' ? 'just started' : 'after all reading',
        ...names.map((name) =>
          number(median(idle.filter(({ server }) => server === name).map((one) => one[when])) / MIB),
        ),
      ]),
    ),
    '',
    ...table(
      ['target', 'wanted', 'got', ''],
      verdicts(rows).map(({ target, wanted, got, reached }) => [
        target,
        `≥ ${wanted}`,
        got.toFixed(2),
        reached ? 'reached' : 'NOT REACHED',
      ]),
    ),
  ];
  return lines.join('\n');
}

const shown = (figure: Figure | undefined) =>
  figure === undefined ? 'not there' : number(figure.value, figure.value < 100 ? 1 : 0);

function number(value: number, digits = 0): string {
  if (Number.isNaN(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** In Markdown, so that it can stand in a document as it is. */
export function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0), 3));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)];
}
