// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/** An origin as browsers send it (RFC 6454, section 6.2): no path, no slash at the end, no port that is the default. */
function isOrigin(text: string): boolean {
  if (text === '*') return true;
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** A list, or text with commas, which is how the environment and the command line say it. */
export const originList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim()))
  .transform((origins) => origins.filter((origin) => origin !== ''))
  .refine((origins) => origins.every(isOrigin), 'write origins as browsers do, as in https://ui.example.com, or *');
