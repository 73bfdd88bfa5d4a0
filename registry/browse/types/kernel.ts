// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type PageQuery, pageInfo } from './paging.ts';

/** The Linux in a unikernel, from `/boot/` of its kernel layer. */
export const kernelSchema = z
  .object({
    version: z.string().optional(),
    variant: z.string().optional(),
    preset: z.string().optional(),
    /** Version of the contract between guest and node. */
    contract: z.number().optional(),
    profile: z.string().optional(),
    /** The patches by name, where they are listed. */
    patches: z.array(z.object({ name: z.string(), digest: z.string().optional() })),
    /** Fragments of Kconfig that it was built with. */
    fragments: z.array(z.string()),
    /** What it was built from: source, series of patches, compiler and the like, each with a digest or version. */
    sources: z.array(z.object({ name: z.string(), value: z.string() })),
    /** `/boot/kernel.json` */
    kernelJson: z.unknown().optional(),
    /** `/boot/profile.json` */
    profileJson: z.unknown().optional(),
    /** Whether `/boot/config` is there. */
    kconfig: z.boolean(),
  })
  .meta({ id: 'Kernel' });
export type Kernel = z.infer<typeof kernelSchema>;

export interface KconfigQuery extends PageQuery {
  search?: string | undefined;
  /** Only options that are on. */
  enabled?: boolean | undefined;
}

export const kconfigOptionSchema = z
  .object({ name: z.string(), value: z.string() })
  .meta({ id: 'KconfigOption', description: 'value: y, m, n, a number, or a text in quotes' });
export type KconfigOption = z.infer<typeof kconfigOptionSchema>;

export const kconfigPageSchema = z
  .object({ ...pageInfo, rows: z.array(kconfigOptionSchema) })
  .meta({ id: 'KconfigPage' });
export type KconfigPage = z.infer<typeof kconfigPageSchema>;
