// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { bytes, count, digest, type PageQuery, pageInfo, progressSchema, time } from './paging.ts';

export interface RepositoriesQuery extends PageQuery {
  /** Words, each of which must stand in the name. */
  search?: string | undefined;
  /** Only names below this folder (`team/app`, without a final `/`). */
  prefix?: string | undefined;
  /** `pushed`: the newest first. Default `name`. */
  sort?: 'name' | 'pushed' | undefined;
  /** Show what is below the next `/` as one folder. Ignored with a search. */
  folders?: boolean | undefined;
  /** Milliseconds to wait for what has to be read; the rest is left out, and `making` says so. Default: until all is there. */
  waitMs?: number | undefined;
}

/** One repository in a list. */
export const repositoryRowSchema = z
  .object({
    kind: z.literal('repository'),
    name: z.string(),
    /** Versions: signatures and attestations are not counted. Left out while it is not read. */
    tags: count.optional(),
    /** `untagged`: it holds manifests, but no tag; `empty`: it holds no manifest any more. Left out while it is not read. */
    state: z.enum(['tagged', 'untagged', 'empty']).optional(),
    /** When something was last pushed to it, where that is known. */
    pushed: time.optional(),
  })
  .meta({ id: 'RepositoryRow' });
export type RepositoryRow = z.infer<typeof repositoryRowSchema>;

/** Repositories whose names begin alike, shown as one folder. */
export const folderRowSchema = z
  .object({
    kind: z.literal('folder'),
    /** Whole prefix, without a final `/`. */
    name: z.string(),
    /** Repositories below it. */
    repositories: count,
    /** The newest push below it, where that is known. */
    pushed: time.optional(),
  })
  .meta({ id: 'FolderRow' });
export type FolderRow = z.infer<typeof folderRowSchema>;

export const repositoryPageSchema = z
  .object({
    ...pageInfo,
    rows: z.array(z.discriminatedUnion('kind', [repositoryRowSchema, folderRowSchema])),
    /**
     * There while something is still being read: the times of pushes, so that the order by them is not complete; what
     * rows leave out; or, without `total`, the names themselves, of which the first ones are shown.
     */
    making: progressSchema.optional(),
  })
  .meta({ id: 'RepositoryPage' });
export type RepositoryPage = z.infer<typeof repositoryPageSchema>;

/** Text that an author gives to people who come to the repository. */
export const readmeSchema = z
  .object({
    markdown: z.string(),
    /** Whether the text was cut because it is too long. */
    cut: z.boolean(),
    source: z.enum(['annotation', 'referrer']),
    /** Manifest that the text belongs to. */
    digest,
  })
  .meta({ id: 'Readme' });
export type Readme = z.infer<typeof readmeSchema>;

export const repositorySchema = z
  .object({
    name: z.string(),
    state: z.enum(['tagged', 'untagged', 'empty']),
    tags: count,
    /** Manifests that no tag names, with those of indexes and referrers; undefined where that is too much to count. */
    untagged: count.optional(),
    pushed: time.optional(),
    /** `latest`, or the tag that sorts highest as a version. */
    newest: z.string().optional(),
    /** From the newest version: `org.opencontainers.image.*`. */
    title: z.string().optional(),
    description: z.string().optional(),
    licenses: z.string().optional(),
    source: z.string().optional(),
    url: z.string().optional(),
    readme: readmeSchema.optional(),
  })
  .meta({ id: 'Repository' });
export type Repository = z.infer<typeof repositorySchema>;

/** What a manifest is. */
export const manifestKindSchema = z.enum(['image', 'index', 'artifact', 'chart', 'kernel', 'unknown']);
export type ManifestKind = z.infer<typeof manifestKindSchema>;

/** One image of an index. */
export const platformRowSchema = z
  .object({
    digest,
    /** `linux/amd64`, `linux/arm64/v8`; undefined where the index does not say. */
    platform: z.string().optional(),
    profile: z.string().optional(),
    variant: z.string().optional(),
    /** Layers, config and manifest together; undefined where the registry does not hold the manifest. */
    size: bytes.optional(),
    /** It describes how another image was built, and is none itself. */
    attestation: z.boolean(),
  })
  .meta({ id: 'PlatformRow' });
export type PlatformRow = z.infer<typeof platformRowSchema>;

/** What a manifest says of itself, as far as a row shows it. */
const manifestFacts = {
  digest,
  kind: manifestKindSchema,
  mediaType: z.string(),
  artifactType: z.string().optional(),
  /** Layers, config and manifest together; of an index: of all its images, each blob once. */
  size: bytes.optional(),
  /** When it was built, as it says itself. */
  created: time.optional(),
  /** Platforms of an index, or the one of an image; at most {@link MOST_PLATFORMS}. */
  platforms: z.array(platformRowSchema),
  /** How many platforms there are in all. */
  platformCount: count,
  /** Hardware profiles (`vnd.uk.profile`) of all platforms. */
  profiles: z.array(z.string()),
  /** Which Linux: `default`, `rt`, …; undefined where it is no unikernel. */
  variant: z.string().optional(),
  /** Whether a signature is attached. It is not verified. */
  signed: z.boolean(),
  referrers: count,
};

export const MOST_PLATFORMS = 50;

export const tagRowSchema = z
  .object({
    tag: z.string(),
    /** When the tag was last moved. */
    pushed: time.optional(),
    ...manifestFacts,
  })
  .meta({ id: 'TagRow' });
export type TagRow = z.infer<typeof tagRowSchema>;

export interface TagsQuery extends PageQuery {
  /** Words, each of which must stand in the tag. */
  search?: string | undefined;
  /** `version`: the highest first; `pushed`: the newest first; `name`: in alphabetical order. Default `version`. */
  sort?: 'version' | 'pushed' | 'name' | undefined;
}

export const tagPageSchema = z.object({ ...pageInfo, rows: z.array(tagRowSchema) }).meta({ id: 'TagPage' });
export type TagPage = z.infer<typeof tagPageSchema>;

export const untaggedRowSchema = z
  .object({
    ...manifestFacts,
    /** When it was first pushed here. */
    pushed: time.optional(),
    /** Manifest that it describes, where it is a referrer. */
    subject: digest.optional(),
    /** An index that lists it, where that is known. */
    partOf: digest.optional(),
  })
  .meta({ id: 'UntaggedRow' });
export type UntaggedRow = z.infer<typeof untaggedRowSchema>;

export const untaggedPageSchema = z
  .object({ ...pageInfo, rows: z.array(untaggedRowSchema) })
  .meta({ id: 'UntaggedPage' });
export type UntaggedPage = z.infer<typeof untaggedPageSchema>;

export const tagHistorySchema = z
  .object({
    tag: z.string(),
    /** The newest first. */
    moves: z.array(
      z.object({
        at: time,
        /** Where the tag points since then; undefined where it was deleted. */
        digest: digest.optional(),
        previous: digest.optional(),
        /** Whether the registry still holds that manifest. */
        held: z.boolean(),
      }),
    ),
    /** Whether older moves were left out. */
    more: z.boolean(),
  })
  .meta({ id: 'TagHistory' });
export type TagHistory = z.infer<typeof tagHistorySchema>;
