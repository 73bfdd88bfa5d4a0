// SPDX-License-Identifier: Apache-2.0

/** A line of the table. */
export interface Row {
  what: string;
  ours: string;
  /** What it is compared with, and its figure. */
  other?: string;
  /** Ours divided by the other's. */
  ratio?: number;
  /** The goal, in words. */
  wanted?: string;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
