// SPDX-License-Identifier: Apache-2.0
import { dataTime } from './keys.ts';

const HOUR_MS = 60 * 60 * 1000;

/*
 * Data that no record names is either on its way to its first record, or was left behind. Nothing can be written on it
 * to tell the two apart, so this is the one place where the collector trusts clocks: whoever names data does so within
 * six hours of beginning it (or of writing down, in the upload's session, that he is about to), and the collector takes
 * data for left behind after 24. What lies between is room for clocks that differ, and for a write that takes long.
 */
export const NAMED_WITHIN_MS = 6 * HOUR_MS;
export const LEFT_AFTER_MS = 24 * HOUR_MS;

/** @returns until when data of that key may get its first record, milliseconds since 1970 */
export function mayBeNamedUntil(key: string): number {
  return (dataTime(key) ?? 0) + NAMED_WITHIN_MS;
}
