// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';

/**
 * The one time of an image: what is asked for, or `$SOURCE_DATE_EPOCH`, or none.
 *
 * @returns seconds since 1970
 * @throws ImageError `CONFIG_INVALID`
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export function sourceDateEpoch(asked: number | undefined, env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env.SOURCE_DATE_EPOCH;
  if (asked === undefined && (text === undefined || text === '')) return undefined;
  const seconds = asked ?? (/^[0-9]+$/.test(text ?? '') ? Number(text) : Number.NaN);
  // RFC 3339, which `created` is written in, ends with the year 9999.
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 253_402_300_799) return seconds;
  throw new ImageError('CONFIG_INVALID', `SOURCE_DATE_EPOCH is not a number of seconds: ${asked ?? text}`);
}
