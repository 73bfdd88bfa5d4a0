// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { annotationsSchema, type Descriptor, descriptorSchema, mediaTypeSchema, optional } from './descriptor.ts';
import { MANIFEST_SHAPE } from './document-shapes.ts';
import { checkData } from './embedded-data.ts';
import { ImageError } from './errors.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { checkUnambiguous } from './unambiguous-json.ts';

/** `null` is what programs in Go write for an empty list. */
function listOf<T extends z.ZodType>(schema: T) {
  return z
    .array(schema)
    .nullable()
    .transform((list) => list ?? []);
}

/** image-spec manifest.md; Docker's schema 2 has the same shape under other media types. */
export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: optional(z.enum([MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest])),
  artifactType: optional(mediaTypeSchema),
  config: descriptorSchema,
  layers: listOf(descriptorSchema),
  subject: optional(descriptorSchema),
  annotations: optional(annotationsSchema),
});

/** image-spec image-index.md; Docker's manifest list has the same shape under another media type. */
export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: optional(z.enum([MEDIA_TYPE.index, MEDIA_TYPE.dockerManifestList])),
  artifactType: optional(mediaTypeSchema),
  manifests: listOf(descriptorSchema),
  subject: optional(descriptorSchema),
  annotations: optional(annotationsSchema),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Index = z.infer<typeof indexSchema>;

export type ManifestDocument = ({ kind: 'manifest' } & { value: Manifest }) | ({ kind: 'index' } & { value: Index });

/**
 * Reads a manifest or an index that comes from outside: besides what {@link parseManifestDocument} checks, all readers
 * must see the same in it, and data that descriptors embed must be what they say.
 *
 * @throws ImageError `MANIFEST_INVALID`, `MEDIA_TYPE_UNSUPPORTED`
 */
export function parseForeignManifest(bytes: Uint8Array, mediaType?: string): ManifestDocument {
  checkUnambiguous(bytes, MANIFEST_SHAPE, 'MANIFEST_INVALID', 'the manifest');
  const document = parseManifestDocument(bytes, mediaType);
  for (const [place, descriptor] of descriptorsOf(document)) checkData(place, descriptor);
  return document;
}

/** All descriptors of a document, each with the words for its place. */
export function* descriptorsOf({ kind, value }: ManifestDocument): Generator<[place: string, Descriptor]> {
  if (kind === 'index') {
    for (const [index, child] of value.manifests.entries()) yield [`manifests[${index}]`, child];
  } else {
    yield ['config', value.config];
    for (const [index, layer] of value.layers.entries()) yield [`layers[${index}]`, layer];
  }
  if (value.subject !== undefined) yield ['subject', value.subject];
}

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
    throw new ImageError(
      'MANIFEST_INVALID',
      `the manifest's own mediaType is ${declared}, but it was sent as ${mediaType}`,
    );
  }
  switch (mediaType ?? declared ?? guess(json)) {
    case MEDIA_TYPE.manifest:
    case MEDIA_TYPE.dockerManifest:
      if (isObject(json) && Array.isArray(json.manifests)) throw both();
      return { kind: 'manifest', value: check(manifestSchema, json, 'manifest') };
    case MEDIA_TYPE.index:
    case MEDIA_TYPE.dockerManifestList:
      if (isObject(json) && (present(json.config) || present(json.layers))) throw both();
      return { kind: 'index', value: check(indexSchema, json, 'index') };
    default:
      throw notAManifest(mediaType ?? declared);
  }
}

function notAManifest(mediaType: string | undefined): ImageError {
  const why =
    mediaType === undefined
      ? 'the document is no manifest: it has no media type, and neither "layers" nor "manifests"'
      : `${mediaType} is not the media type of a manifest`;
  return new ImageError('MEDIA_TYPE_UNSUPPORTED', why);
}

/** Manifest documents that could be read in two ways are refused (CVE-2021-41190). */
function both(): ImageError {
  return new ImageError('MANIFEST_INVALID', 'a manifest cannot have both "layers" and "manifests"');
}

/** An empty list of the other kind is written as `null` by programs that fill one structure for both. */
function guess(json: unknown): string | undefined {
  if (!isObject(json)) return undefined;
  if (present(json.layers) || present(json.config)) return MEDIA_TYPE.manifest;
  if ('manifests' in json) return MEDIA_TYPE.index;
  return 'layers' in json || 'config' in json ? MEDIA_TYPE.manifest : undefined;
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
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
