// SPDX-License-Identifier: Apache-2.0

const UNIT: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/**
 * Reads an amount of memory as users write it: `128M`, `1G`, `1.5G`, `64MiB`, `512k`, or plain bytes. The units are
 * powers of 1024, as monitors and container engines have them.
 *
 * @returns whole bytes above zero, or undefined where it is no such amount
 */
export function parseMemory(text: string): number | undefined {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([kmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const unit = UNIT[(match[2] ?? '').toUpperCase()];
  if (unit === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
