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

/** Timers of Node count in 31 bits; one that was set for longer goes off at once (node:timers). */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** A duration that somebody waits for. */
export const waitingTime = duration.refine((read) => read <= LONGEST_WAIT_MS, 'at most 24d');

/** Bytes; written as `64M`, `1GB`, or a number of bytes. */
export const size = z.union([z.number(), z.string()]).transform((value, context) => {
  const read = typeof value === 'number' ? value : bytesOf(value);
  if (read !== undefined && Number.isSafeInteger(read) && read >= 0) return read;
  context.addIssue({ code: 'custom', message: `not an amount of bytes: ${JSON.stringify(value)} (write 64M, 1G)` });
  return z.NEVER;
});

function bytesOf(text: string): number | undefined {
  // `bytes` takes what begins with a number for that number, whatever stands behind it.
  const [, amount, unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?(?:([kmgt])(?:i?b)?|b)?$/i.exec(text) ?? [];
  return amount === undefined ? undefined : (parseBytes(`${amount}${unit}b`) ?? undefined);
}

function milliseconds(text: string): number | undefined {
  // `ms` throws for what is empty or very long, and answers NaN or nothing for what it cannot read.
  if (!/^[0-9.]{1,15} ?[a-z]{0,12}$/i.test(text)) return undefined;
  return ms(text as StringValue);
}
