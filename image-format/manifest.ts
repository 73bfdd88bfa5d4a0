// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { annotationsSchema, descriptorSchema, mediaTypeSchema } from './descriptor.ts';
import { ImageError } from './errors.ts';
import { MEDIA_TYPE } from './media-types.ts';

/** image-spec manifest.md; Docker's schema 2 has the same shape under other media types. */
export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest]).optional(),
  artifactType: mediaTypeSchema.optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});

/** image-spec image-index.md; Docker's manifest list has the same shape under another media type. */
export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPE.index, MEDIA_TYPE.dockerManifestList]).optional(),
  artifactType: mediaTypeSchema.optional(),
  manifests: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Index = z.infer<typeof indexSchema>;

export type ManifestDocument = ({ kind: 'manifest' } & { value: Manifest }) | ({ kind: 'index' } & { value: Index });

/**
 * Reads a manifest or an index. Which of the two it is follows from `mediaType` (the registry's Content-Type, or the
 * descriptor's) where it is known, else from the document itself.
 *
 * @param bytes the document as it came, already verified against its digest
 * @throws ImageError `MANIFEST_INVALID`, `MEDIA_TYPE_UNSUPPORTED`
 */
export function parseManifestDocument(bytes: Uint8Array, mediaType?: string): ManifestDocument {
  const json = parseJson(bytes);
  const declared = isObject(json) && typeof json.mediaType === 'string' ? json.mediaType : undefined;
  if (mediaType !== undefined && declared !== undefined && declared !== mediaType) {
    throw new ImageError('MANIFEST_INVALID', `the manifest says ${declared} of itself, but came as ${mediaType}`);
  }
  switch (mediaType ?? declared ?? guess(json)) {
    case MEDIA_TYPE.manifest:
    case MEDIA_TYPE.dockerManifest:
      if (isObject(json) && Array.isArray(json.manifests)) throw both();
      return { kind: 'manifest', value: check(manifestSchema, json, 'manifest') };
    case MEDIA_TYPE.index:
    case MEDIA_TYPE.dockerManifestList:
      if (isObject(json) && (json.config !== undefined || json.layers !== undefined)) throw both();
      return { kind: 'index', value: check(indexSchema, json, 'index') };
    default:
      throw new ImageError('MEDIA_TYPE_UNSUPPORTED', `not a manifest's media type: ${mediaType ?? declared ?? 'none'}`);
  }
}

/** Manifest documents that could be read in two ways are refused (CVE-2021-41190). */
function both(): ImageError {
  return new ImageError('MANIFEST_INVALID', 'a manifest cannot have both "layers" and "manifests"');
}

function guess(json: unknown): string | undefined {
  if (!isObject(json)) return undefined;
  if ('manifests' in json) return MEDIA_TYPE.index;
  return 'layers' in json || 'config' in json ? MEDIA_TYPE.manifest : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImageError('MANIFEST_INVALID', 'the manifest is not JSON', { cause });
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown, what: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new ImageError('MANIFEST_INVALID', `not a valid ${what}${where}: ${issue?.message ?? 'unknown reason'}`);
}
