// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Digest, digestSchema } from '../../../image-format/index.ts';

/** A digest of an OCI document or blob. */
export const digest = digestSchema.meta({ type: 'string', pattern: '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' });
export type { Digest };

export const bytes = z.int().nonnegative();
export const count = z.int().nonnegative();
/** Milliseconds since 1970. */
export const time = z.number();
export const annotations = z.record(z.string(), z.string());

/** Which part of a list is wanted. */
export interface PageQuery {
  /** From 1. Default 1. */
  page?: number | undefined;
  /** Rows of one page, at most {@link MOST_ROWS}. Default {@link USUAL_ROWS}. */
  size?: number | undefined;
}

export const USUAL_ROWS = 50;
export const MOST_ROWS = 200;

/** Where a page stands in its list: "`matched` of `total`". */
export const pageInfo = {
  /** From 1. */
  page: z.int().min(1),
  /** Most rows of a page. */
  size: z.int().min(1),
  /** Rows on all pages, after search and filters. */
  matched: count,
  /** Rows without search and filters. */
  total: count,
};

/** How far something is that is still being made. */
export const progressSchema = z
  .object({
    /** Steps done so far, of `unit`. */
    done: count,
    /** Steps in all, where that is known. */
    total: count.optional(),
    unit: z.enum(['bytes', 'layers', 'repositories', 'manifests']),
  })
  .meta({ id: 'Progress' });
export type Progress = z.infer<typeof progressSchema>;

/** Why something cannot be shown: a code for programs, a message for people. */
export const refusalSchema = z.object({ code: z.string(), message: z.string() }).meta({ id: 'Refusal' });
export type Refusal = z.infer<typeof refusalSchema>;

/**
 * What takes time to make: ready; still being made (ask again in a second); or refused, with the reason.
 * Whoever asks starts the making.
 */
export type Made<T> =
  | { state: 'ready'; value: T }
  | { state: 'making'; progress: Progress }
  | { state: 'refused'; reason: Refusal };

export function made<T extends z.ZodType>(value: T) {
  return z.discriminatedUnion('state', [
    z.object({ state: z.literal('ready'), value }),
    z.object({ state: z.literal('making'), progress: progressSchema }),
    z.object({ state: z.literal('refused'), reason: refusalSchema }),
  ]);
}
