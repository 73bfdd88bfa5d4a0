// SPDX-License-Identifier: Apache-2.0
import type { Kernels } from './contestants.ts';

/** What a part of the benchmark has to work with. */
export interface Bench {
  kernels: Kernels;
  /** Scratch space, removed at the end. */
  folder: string;
  rounds: number;
  say(text: string): void;
}

export interface Table {
  /** The first column names the row. */
  head: string[];
  rows: (string | number | undefined)[][];
}

export interface Goal {
  what: string;
  /** At most this much. */
  wanted: number;
  got: number;
  unit: string;
}

/** The results of one part, for people and as data. */
export interface Section {
  title: string;
  /** What was done, so that the figures can be read. */
  how: string;
  tables: Table[];
  /** What the figures do not show, or what could not be measured. */
  notes: string[];
  goals: Goal[];
}

export interface Spread {
  minimum: number;
  median: number;
  maximum: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { minimum: at(0), median: at(Math.floor(sorted.length / 2)), maximum: at(sorted.length - 1) };
}

export const median = (values: readonly number[]): number => spread(values).median;

/** `1,234` or `12.3` */
export function figure(value: number | undefined, digits = 0): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
