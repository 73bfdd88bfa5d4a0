// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { bytes, count, digest, made, type PageQuery, pageInfo, time } from './paging.ts';

/** Two images, which may be in different repositories. */
export interface CompareQuery {
  from: { repository: string; reference: string };
  to: { repository: string; reference: string };
}

const side = z.object({
  repository: z.string(),
  reference: z.string(),
  digest,
  size: bytes.optional(),
  created: time.optional(),
  kernelVersion: z.string().optional(),
});

const change = z.enum(['added', 'removed', 'changed']);

/** A value that differs; `undefined` on the side where it is not there. */
export const valueChangeSchema = z
  .object({ name: z.string(), change, from: z.string().optional(), to: z.string().optional() })
  .meta({ id: 'ValueChange' });
export type ValueChange = z.infer<typeof valueChangeSchema>;

export const comparedLayerSchema = z
  .object({
    digest,
    size: bytes,
    role: z.string().optional(),
    createdBy: z.string().optional(),
    /** `same`: both have it. */
    change: z.enum(['same', 'added', 'removed']),
    /** Place in each image, from 0. */
    from: count.optional(),
    to: count.optional(),
  })
  .meta({ id: 'ComparedLayer' });
export type ComparedLayer = z.infer<typeof comparedLayerSchema>;

const changes = z.array(valueChangeSchema);

export const comparisonSchema = z
  .object({
    from: side,
    to: side,
    /** Both are the same manifest. */
    same: z.boolean(),
    layers: z.array(comparedLayerSchema),
    /** Bytes that somebody who has `from` still has to fetch for `to`. */
    toFetch: bytes,
    /** Environment, entry point, ports, labels and the like. */
    config: changes,
    annotations: changes,
    /** Options of the kernel; undefined where one of the two is no unikernel. */
    kconfig: made(changes).optional(),
    /** Packages of the SBOMs; undefined where one of the two has none. */
    packages: changes.optional(),
    /** How many files differ; the files themselves come page by page. */
    files: made(z.object({ added: count, removed: count, changed: count, from: bytes, to: bytes })),
  })
  .meta({ id: 'Comparison' });
export type Comparison = z.infer<typeof comparisonSchema>;

export interface CompareFilesQuery extends CompareQuery, PageQuery {
  search?: string | undefined;
  change?: z.infer<typeof change> | undefined;
}

export const comparedFileSchema = z
  .object({
    path: z.string(),
    change,
    /** Sizes before and after. */
    from: bytes.optional(),
    to: bytes.optional(),
    /** What differs: `content`, `mode`, `owner`, `type`, `target`. */
    differs: z.array(z.string()),
  })
  .meta({ id: 'ComparedFile' });
export type ComparedFile = z.infer<typeof comparedFileSchema>;

export const comparedFilePageSchema = z
  .object({ ...pageInfo, rows: z.array(comparedFileSchema) })
  .meta({ id: 'ComparedFilePage' });
export type ComparedFilePage = z.infer<typeof comparedFilePageSchema>;

/** How the text of one file differs. */
export const fileDiffSchema = z
  .object({
    path: z.string(),
    /** Why there is no text to compare; undefined where there is. */
    reason: z.enum(['same', 'binary', 'large', 'no-file']).optional(),
    hunks: z.array(
      z.object({
        fromLine: count,
        toLine: count,
        lines: z.array(z.object({ kind: z.enum(['same', 'added', 'removed']), text: z.string() })),
      }),
    ),
  })
  .meta({ id: 'FileDiff' });
export type FileDiff = z.infer<typeof fileDiffSchema>;
