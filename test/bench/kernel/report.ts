// SPDX-License-Identifier: Apache-2.0
// The results as docs/kernel-measurements.md holds them.
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import type { Kernels } from './contestants.ts';
import { figure, type Goal, type Section, type Table } from './section.ts';

export interface About {
  machine: string;
  qemu: string;
  compiler: string;
  date: string;
  command: string;
  rounds: number;
  kernels: { name: string; version: string; path: string; presets: boolean }[];
  key: string;
  seconds: number;
}

export function about(kernels: Kernels, rounds: number, seconds: number): About {
  const { stock, ring0, ring3, ring3Plain, built } = kernels;
  const firstLine = (command: string): string =>
    execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0] ?? '';
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}`,
    qemu: firstLine('qemu-system-x86_64'),
    compiler: firstLine('gcc'),
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench:kernel', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    rounds,
    kernels: [stock, ring3Plain, ring3, ring0].filter((one) => one !== undefined),
    key: built.key,
    seconds,
  };
}

export function report(about: About, sections: readonly Section[]): string {
  const goals = sections.flatMap((section) => section.goals);
  const versions = about.kernels.map(
    ({ name, version, presets }) => `${name}: ${version}${presets ? ', presets' : ''}`,
  );
  const lines = [
    `\`${about.command}\`, ${about.date}, ${Math.round(about.seconds / 60)} minutes. ${about.machine}; no KVM: ${about.qemu}, TCG.`,
    `Compiled by ${about.compiler}. Kernels: ${versions.join('; ')}.`,
    '',
    '## Goals',
    '',
    ...tableLines({ head: ['', 'wanted', 'got', ''], rows: goals.map(goalRow) }),
    ...sections.flatMap(({ title, how, tables, notes }) => [
      '',
      `## ${title}`,
      '',
      how,
      ...tables.flatMap((table) => ['', ...tableLines(table)]),
      ...notes.flatMap((note) => ['', note]),
    ]),
  ];
  return lines.join('\n');
}

function goalRow({ what, wanted, got, unit }: Goal): string[] {
  const digits = wanted < 1 ? 3 : Number.isInteger(got) ? 0 : 1;
  const reached = got <= wanted ? 'reached' : Number.isNaN(got) ? 'not measured' : '**not reached**';
  return [what, `≤ ${figure(wanted, wanted < 1 ? 3 : 0)} ${unit}`.trim(), figure(got, digits), reached];
}

function tableLines({ head, rows }: Table): string[] {
  const line = (cells: readonly unknown[]): string => `| ${cells.map((cell) => `${cell ?? '–'}`).join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)];
}
