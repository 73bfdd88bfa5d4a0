// SPDX-License-Identifier: Apache-2.0
import prettyBytes from 'pretty-bytes';

/** `2.3 MB`: sizes for people, in decimal units as registries and disks have them. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { maximumFractionDigits: 1 });
}

/** `10G`, `1536M`: a size that somebody asked for, as it was written. Powers of 1024, as of memory and disks of guests. */
export function formatSize(bytes: number): string {
  const [unit, factor] = UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ['', 1];
  return `${bytes / factor}${unit}`;
}

const UNITS = [
  ['T', 2 ** 40],
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const;
