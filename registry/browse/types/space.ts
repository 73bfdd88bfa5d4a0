// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { bytes, count, type PageQuery, pageInfo } from './paging.ts';

/** From how many days on a tag may be called old: a few choices, as all is measured for each. */
export const AGES = [7, 30, 90, 180, 365] as const;

export interface SpaceQuery extends PageQuery {
  /** From how many days on a tag is old, one of {@link AGES}. Default 90. The newest tag of a repository never is. */
  days?: number | undefined;
  /** Default `own`: the largest first. */
  sort?: 'name' | 'own' | 'total' | 'old' | undefined;
}

const shares = {
  /** All blobs and manifests that it holds, each once. */
  total: bytes,
  /** Of these, what nobody else holds: what would be freed if the repository were deleted. */
  own: bytes,
  /** What other repositories hold, too. */
  shared: bytes,
  /** Of its own, what only old tags hold. */
  old: bytes,
  /** Of its own, what no tag holds: untagged manifests, and blobs that wait for a collection. */
  untagged: bytes,
  blobs: count,
  manifests: count,
};

export const repositorySpaceSchema = z.object({ name: z.string(), ...shares }).meta({ id: 'RepositorySpace' });
export type RepositorySpace = z.infer<typeof repositorySpaceSchema>;

/** Where a repository's space goes, tag by tag. */
export const tagSpacesSchema = z
  .object({
    ...repositorySpaceSchema.shape,
    /** The largest first: what only this tag holds. */
    tags: z.array(z.object({ tag: z.string(), total: bytes, own: bytes, old: z.boolean() })),
    /** Whether the repository has more than could be read, so that all numbers are too small. */
    more: z.boolean(),
  })
  .meta({ id: 'TagSpaces' });
export type TagSpaces = z.infer<typeof tagSpacesSchema>;

export const spacePageSchema = z
  .object({
    ...pageInfo,
    /** All repositories together, each blob once. */
    all: z.object({ ...shares, repositories: count }),
    rows: z.array(repositorySpaceSchema),
  })
  .meta({ id: 'SpacePage' });
export type SpacePage = z.infer<typeof spacePageSchema>;
