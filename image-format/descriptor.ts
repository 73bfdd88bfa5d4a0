// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Digest, isDigest } from './digest.ts';

/** RFC 6838 section 4.2: type "/" subtype, each at most 127 characters. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export const mediaTypeSchema = z.string().regex(MEDIA_TYPE, 'not a media type');
export const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
export const annotationsSchema = z.record(z.string(), z.string());

export const platformSchema = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  'os.version': z.string().optional(),
  'os.features': z.array(z.string()).optional(),
  variant: z.string().optional(),
});

/** image-spec descriptor.md, "Properties"; fields that are not named there are kept. */
export const descriptorSchema = z.looseObject({
  mediaType: mediaTypeSchema,
  digest: digestSchema,
  /** Bytes. */
  size: z.int().nonnegative(),
  urls: z.array(z.string()).optional(),
  annotations: annotationsSchema.optional(),
  data: z.string().optional(),
  artifactType: mediaTypeSchema.optional(),
  platform: platformSchema.optional(),
});

export type Platform = z.infer<typeof platformSchema>;
export type Descriptor = z.infer<typeof descriptorSchema>;
