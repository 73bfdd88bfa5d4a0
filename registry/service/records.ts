// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Descriptor, type Digest, descriptorSchema, digestSchema } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { DataState, StoredRecord } from '../storage/contract.ts';
import type { SavedHash } from './upload-hash.ts';

/*
 * What the registry's records hold. They are ours, so they are read loosely: fields of a later version are kept out of
 * the way, a record that does not read at all is damage.
 */

/**
 * A blob, for all repositories. `live` → `condemned` → `deleted`, each step by compare-and-swap on the whole record;
 * a push or a mount takes it back to `live`, with other data where its own is gone.
 */
const blobSchema = z.object({
  state: z.enum(['live', 'condemned', 'deleted']),
  /** Key of its bytes. */
  data: z.string(),
  /** Bytes. */
  size: z.int().nonnegative(),
  /** Counts this record's changes, so that no two versions are equal. */
  epoch: z.int(),
  /** When somebody last brought, mounted or revived it (of one that is deleted: when that was); hourly at most. */
  renewed: z.number(),
});
export type BlobRecord = z.infer<typeof blobSchema>;

/**
 * Valid only as long as the blob's record names the same data: a blob that was collected takes its links with it.
 *
 * The collector condemns a link before it deletes it: no manifest of the repository named the blob when it looked. Such
 * a link serves as before, and whoever relies on it takes the mark off.
 */
const blobLinkSchema = z.object({
  data: z.string(),
  /** When the blob was last brought or mounted here, milliseconds since 1970; renewed hourly at most. */
  renewed: z.number().default(0),
  /** `id` makes each condemnation another content, so that none is taken for another one. */
  condemned: z.object({ id: z.string(), at: z.number() }).optional(),
});
export type BlobLink = z.infer<typeof blobLinkSchema>;

/** Which data the repository links, or is about to. */
const blobMarkerSchema = z.object({ data: z.string() });
export type BlobMarker = z.infer<typeof blobMarkerSchema>;

/** Valid only as long as the manifest is there in that version: a deleted manifest takes its tags with it. */
const tagSchema = z.object({ digest: digestSchema, version: z.number() });
export type TagRecord = z.infer<typeof tagSchema>;

/** That this tag may point, or has pointed, at the manifest in that version. */
const taggedSchema = z.object({ version: z.number() });

/** An entry of a referrers list; valid like a tag. */
const referrerSchema = z.object({ version: z.number(), descriptor: descriptorSchema });
export interface ReferrerRecord {
  version: number;
  descriptor: Descriptor;
}

const sessionSchema = z.object({
  repository: z.string(),
  /** Milliseconds since 1970. */
  started: z.number(),
  touched: z.number(),
  /** What the client said it will close the upload with; a hint. */
  algorithm: z.enum(['sha256', 'sha512']),
  /** Absent until the first byte. */
  data: z.looseObject({ key: z.string(), size: z.int().nonnegative() }).optional(),
  /** The digest of all bytes so far, where they could be hashed as they came. */
  digest: digestSchema.optional(),
  /** The hash of all bytes so far, where any process may go on with it: {@link SavedHash}. */
  hash: z.object({ algorithm: z.enum(['sha256', 'sha512']), state: z.string() }).optional(),
  /** Since when somebody is about to make it a blob that is older than nameless data may be: see `data-age.ts`. */
  closing: z.number().optional(),
  /** The request that is writing now, or that died in doing so. */
  writer: z.string().optional(),
});
export interface SessionRecord {
  repository: string;
  started: number;
  touched: number;
  algorithm: 'sha256' | 'sha512';
  data?: DataState;
  digest?: Digest;
  hash?: SavedHash;
  closing?: number;
  writer?: string;
}

export const parseBlob = reader<BlobRecord>(blobSchema);
export const parseBlobLink = reader<BlobLink>(blobLinkSchema);
export const parseBlobMarker = reader<BlobMarker>(blobMarkerSchema);
export const parseTag = reader<TagRecord>(tagSchema);
export const parseTagged = reader(taggedSchema);
export const parseReferrer = reader<ReferrerRecord>(referrerSchema);

/** Sessions are not written durably: one that reads as nothing is one that a loss of power took. */
export function parseSession(record: StoredRecord): SessionRecord | undefined {
  try {
    return sessionSchema.parse(JSON.parse(record.bytes.toString())) as SessionRecord;
  } catch {
    return undefined;
  }
}

export function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function reader<T extends object>(schema: z.ZodType<T>): (record: StoredRecord, key: string) => T {
  return onceEach((record, key) => {
    try {
      return schema.parse(JSON.parse(record.bytes.toString()));
    } catch (cause) {
      throw damaged(key, cause);
    }
  });
}

/** Drivers answer the same object as long as a record is the same, so what it says has to be read only once. */
export function onceEach<T extends object>(
  parse: (record: StoredRecord, key: string) => T,
): (record: StoredRecord, key: string) => T {
  const known = new WeakMap<StoredRecord, T>();
  return (record, key) => {
    const found = known.get(record);
    if (found !== undefined) return found;
    const parsed = parse(record, key);
    known.set(record, parsed);
    return parsed;
  };
}

export function damaged(key: string, cause?: unknown): RegistryError {
  return new RegistryError('STORAGE_DAMAGED', `the record ${key} in the storage is damaged`, {
    cause,
    hint: 'check the disk, and bring that file back from a backup or remove it',
  });
}
