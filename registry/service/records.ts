// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Descriptor, type Digest, descriptorSchema, digestSchema } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { DataState, StoredRecord } from '../storage/contract.ts';

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
  /** When somebody last relied on it, milliseconds since 1970; renewed hourly at most. */
  renewed: z.number(),
});
export type BlobRecord = z.infer<typeof blobSchema>;

/** Valid only as long as the blob's record names the same data: a blob that was collected takes its links with it. */
const blobLinkSchema = z.object({ data: z.string() });
export type BlobLink = z.infer<typeof blobLinkSchema>;

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
  /** The digest of all bytes so far, where they were hashed in one go. */
  digest: digestSchema.optional(),
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
  writer?: string;
}

export const parseBlob = (record: StoredRecord, key: string): BlobRecord => read(blobSchema, record.bytes, key);
export const parseBlobLink = (record: StoredRecord, key: string): BlobLink => read(blobLinkSchema, record.bytes, key);
export const parseTag = (record: StoredRecord, key: string): TagRecord => read(tagSchema, record.bytes, key);
export const parseTagged = (record: StoredRecord, key: string) => read(taggedSchema, record.bytes, key);
export const parseReferrer = (record: StoredRecord, key: string): ReferrerRecord =>
  read(referrerSchema, record.bytes, key);

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

function read<T>(schema: z.ZodType<T>, bytes: Uint8Array, key: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()));
  } catch (cause) {
    throw damaged(key, cause);
  }
}

export function damaged(key: string, cause?: unknown): RegistryError {
  return new RegistryError('STORAGE_DAMAGED', `the record ${key} in the storage is damaged`, {
    cause,
    hint: 'check the disk, and bring that file back from a backup or remove it',
  });
}
