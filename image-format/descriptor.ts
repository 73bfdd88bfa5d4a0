// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Digest, isDigest } from './digest.ts';

/** RFC 6838 section 4.2: type "/" subtype, each at most 127 characters. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export const mediaTypeSchema = z.string().regex(MEDIA_TYPE, 'not a media type');
export const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
export const annotationsSchema = z.record(z.string(), z.string());

/**
 * A field that may be left out. Programs in Go write `null` for a list or a map that is empty; that is the same as
 * leaving it out, and is read as such.
 */
export function optional<T extends z.ZodType>(schema: T) {
  return schema
    .nullable()
    .transform((value) => value ?? undefined)
    .optional();
}

export const platformSchema = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  'os.version': optional(z.string()),
  'os.features': optional(z.array(z.string())),
  variant: optional(z.string()),
});

/** image-spec descriptor.md, "Properties"; fields that are not named there are kept. */
export const descriptorSchema = z.looseObject({
  mediaType: mediaTypeSchema,
  digest: digestSchema,
  /** Bytes. */
  size: z.int().nonnegative(),
  urls: optional(z.array(z.string())),
  annotations: optional(annotationsSchema),
  data: optional(z.string()),
  artifactType: optional(mediaTypeSchema),
  platform: optional(platformSchema),
});

export type Platform = z.infer<typeof platformSchema>;
export type Descriptor = z.infer<typeof descriptorSchema>;
