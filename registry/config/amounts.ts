// SPDX-License-Identifier: Apache-2.0
import { parse as parseBytes } from 'bytes';
import ms, { type StringValue } from 'ms';
import * as z from 'zod';

/** Milliseconds; written as `90s`, `12h`, `7d`, or a number of milliseconds. */
export const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const read = typeof value === 'number' ? value : milliseconds(value);
  if (read !== undefined && Number.isFinite(read) && read >= 0) return Math.round(read);
  context.addIssue({ code: 'custom', message: `not a time: ${JSON.stringify(value)} (write 90s, 12h, 7d)` });
  return z.NEVER;
});

/** Bytes; written as `64M`, `1GB`, or a number of bytes. */
export const size = z.union([z.number(), z.string()]).transform((value, context) => {
  const read = typeof value === 'number' ? value : parseBytes(value.replace(/^([0-9.]+ ?[kmgt])i?b?$/i, '$1b'));
  if (read !== null && Number.isSafeInteger(read) && read >= 0) return read;
  context.addIssue({ code: 'custom', message: `not an amount of bytes: ${JSON.stringify(value)} (write 64M, 1G)` });
  return z.NEVER;
});

function milliseconds(text: string): number | undefined {
  // `ms` throws for what is empty or very long, and answers NaN or nothing for what it cannot read.
  if (!/^[0-9.]{1,15} ?[a-z]{0,12}$/i.test(text)) return undefined;
  return ms(text as StringValue);
}
