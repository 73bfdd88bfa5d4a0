// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { CollectionReport, Progress } from '../service/collector/index.ts';

/** The body of `POST /collect`: what the command line says, and the server's own settings do not. */
export const collectionRequestSchema = z.strictObject({
  dryRun: z.boolean(),
  takeOver: z.boolean(),
  graceMs: z.number().nonnegative(),
  settleMs: z.number().nonnegative(),
  uploadIdleMs: z.number().nonnegative(),
});
export type CollectionRequest = z.infer<typeof collectionRequestSchema>;

/** The answer, a line of JSON each; the last one is a report or a failure. */
export type CollectionLine =
  | { progress: Progress }
  | { report: CollectionReport }
  | { failure: { code: string; message: string; hint?: string | undefined } };
