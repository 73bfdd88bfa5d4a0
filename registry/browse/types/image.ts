// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { annotations, bytes, count, digest, type PageQuery, pageInfo, progressSchema, time } from './paging.ts';
import { manifestKindSchema, platformRowSchema } from './repository.ts';

/** A descriptor as a document has it, and whether its content can be had here. */
export const linkedDescriptorSchema = z
  .object({
    mediaType: z.string(),
    digest,
    size: bytes,
    artifactType: z.string().optional(),
    annotations: annotations.optional(),
    /** Path of the content for the protocol (`/v2/…`); undefined where this repository does not hold it. */
    link: z.string().optional(),
  })
  .meta({ id: 'LinkedDescriptor' });
export type LinkedDescriptor = z.infer<typeof linkedDescriptorSchema>;

/** Who else uses a layer. */
export const sharedBySchema = z
  .object({
    /** Other repositories that hold it; at most {@link MOST_SHARING}. */
    repositories: count,
    /** Other images of this repository that name it. */
    images: count,
    /** Whether there may be more. */
    more: z.boolean(),
  })
  .meta({ id: 'SharedBy' });
export type SharedBy = z.infer<typeof sharedBySchema>;

export const MOST_SHARING = 1000;

export const layerSchema = z
  .object({
    /** Place in the manifest, from 0. */
    number: count,
    ...linkedDescriptorSchema.shape,
    /** `kernel`, `deps`, `app` or `config` of a unikernel. */
    role: z.string().optional(),
    compression: z.enum(['gzip', 'zstd', 'none']).optional(),
    /** Why its files cannot be listed (encrypted, kept elsewhere, no tar); undefined where they can. */
    unreadable: z.string().optional(),
    diffId: digest.optional(),
    /** Bytes once unpacked; known once its files have been listed. */
    unpacked: bytes.optional(),
    /** Undefined behind the first {@link MOST_COUNTED_LAYERS} layers. */
    sharedBy: sharedBySchema.optional(),
    /** Command that made it. */
    createdBy: z.string().optional(),
  })
  .meta({ id: 'Layer' });
export type Layer = z.infer<typeof layerSchema>;

export const MOST_COUNTED_LAYERS = 64;
/** Whether the registry holds a layer is looked up for so many of an image; those behind have no `link`. */
export const MOST_LINKED_LAYERS = 512;

export const historyStepSchema = z
  .object({
    created: time.optional(),
    createdBy: z.string().optional(),
    comment: z.string().optional(),
    author: z.string().optional(),
    /** Number of the layer that this step made; undefined where it made none. */
    layer: count.optional(),
  })
  .meta({ id: 'HistoryStep' });
export type HistoryStep = z.infer<typeof historyStepSchema>;

/** How an image runs. */
export const runConfigSchema = z
  .object({
    entrypoint: z.array(z.string()),
    command: z.array(z.string()),
    environment: z.array(z.object({ name: z.string(), value: z.string() })),
    user: z.string().optional(),
    workingDirectory: z.string().optional(),
    /** `8080/tcp` */
    ports: z.array(z.string()),
    volumes: z.array(z.string()),
    stopSignal: z.string().optional(),
    labels: annotations,
    author: z.string().optional(),
  })
  .meta({ id: 'RunConfig' });
export type RunConfig = z.infer<typeof runConfigSchema>;

/** A manifest of any kind: an image, an index, an artifact. */
export const imageSchema = z
  .object({
    repository: z.string(),
    digest,
    /** Tags that point at it now. */
    tags: z.array(z.string()),
    kind: manifestKindSchema,
    mediaType: z.string(),
    artifactType: z.string().optional(),
    /** Bytes of the document itself. */
    manifestSize: bytes,
    /** Layers, config and manifest together. */
    size: bytes.optional(),
    pushed: time.optional(),
    created: time.optional(),
    annotations,
    /** Manifest that this one describes. */
    subject: linkedDescriptorSchema.optional(),
    /** Of an index: its images. */
    platforms: z.array(platformRowSchema),
    platformCount: count,
    /** Indexes of this repository that list this manifest. */
    partOf: z.array(digest),
    platform: z.string().optional(),
    profile: z.string().optional(),
    variant: z.string().optional(),
    config: linkedDescriptorSchema.optional(),
    /** Undefined where the config is no image's. */
    run: runConfigSchema.optional(),
    layers: z.array(layerSchema),
    history: z.array(historyStepSchema),
    /** A Helm chart's own description (Chart.yaml as JSON). */
    chart: z.record(z.string(), z.unknown()).optional(),
    /** What is odd about it: sizes that lie, a config that cannot be read, more diff_ids than layers. */
    warnings: z.array(z.string()),
    signed: z.boolean(),
    referrers: count,
    /** Path of the document for the protocol. */
    link: z.string(),
  })
  .meta({ id: 'Image' });
export type Image = z.infer<typeof imageSchema>;

/** A JSON document (manifest or config) as it came. */
export const documentSchema = z
  .object({
    digest,
    mediaType: z.string(),
    size: bytes,
    /** The text; cut where `cut` says so. */
    text: z.string(),
    cut: z.boolean(),
    /** Descriptors that the text holds, for links. */
    descriptors: z.array(linkedDescriptorSchema),
  })
  .meta({ id: 'Document' });
export type Document = z.infer<typeof documentSchema>;

export interface SharingQuery extends PageQuery {
  repository: string;
  /** The layer. */
  digest: string;
  /** Milliseconds to wait for images of other repositories; the rest is left out, and `making` says so. Default: until all are there. */
  waitMs?: number | undefined;
}

/** Images that share a layer, by repository. */
export const sharingPageSchema = z
  .object({
    ...pageInfo,
    rows: z.array(
      z.object({
        repository: z.string(),
        /** Left out while they are not read. */
        images: z.array(z.object({ digest, tags: z.array(z.string()) })).optional(),
        /** Whether images were left out because they are many. */
        more: z.boolean(),
      }),
    ),
    /** There while images of some rows are still being read. */
    making: progressSchema.optional(),
  })
  .meta({ id: 'SharingPage' });
export type SharingPage = z.infer<typeof sharingPageSchema>;
