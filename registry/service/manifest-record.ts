// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Digest, digestSchema, mediaTypeSchema } from '../../image-format/index.ts';
import type { StoredRecord } from '../storage/contract.ts';
import { damaged, onceEach } from './records.ts';

/**
 * A manifest as it stands in the store: one line of JSON (the header), a line feed, the manifest's bytes as they came.
 * A deleted one keeps a tombstone in its place, so that `version` only ever grows and entries that name an older
 * version (tags, referrers, markers) can be told from those of a later push of the same bytes.
 */
export interface ManifestRecord {
  /** Grows with each deletion and each push after it; starts at the time, so that it grows even past a lost tombstone. */
  version: number;
  mediaType: string;
  /** Bytes. */
  size: number;
  subject?: Digest | undefined;
  /** A view of the record, not a copy. */
  bytes: Buffer;
}

export interface Tombstone {
  version: number;
  deleted: true;
  /** Whose referrers list still may have an entry of the manifest. */
  subject?: Digest | undefined;
}

const headerSchema = z.union([
  z.object({ version: z.number(), deleted: z.literal(true), subject: digestSchema.optional() }),
  z.object({
    version: z.number(),
    mediaType: mediaTypeSchema,
    size: z.int().nonnegative(),
    subject: digestSchema.optional(),
  }),
]);

const LINE_FEED = 0x0a;

export function encodeManifest(record: ManifestRecord): Buffer {
  const { bytes, ...header } = record;
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes]);
}

export function encodeTombstone(tombstone: Tombstone): Buffer {
  return Buffer.from(`${JSON.stringify(tombstone)}\n`);
}

/** @throws RegistryError `STORAGE_DAMAGED` */
export const parseManifestRecord = onceEach((record: StoredRecord, key: string): ManifestRecord | Tombstone => {
  try {
    const end = record.bytes.indexOf(LINE_FEED);
    const header = headerSchema.parse(JSON.parse(record.bytes.toString('utf8', 0, end)));
    if ('deleted' in header) return header;
    const bytes = record.bytes.subarray(end + 1);
    if (bytes.length !== header.size) throw new Error(`${bytes.length} bytes where its header says ${header.size}`);
    return { ...header, bytes };
  } catch (cause) {
    throw damaged(key, cause);
  }
});

export function isTombstone(record: ManifestRecord | Tombstone): record is Tombstone {
  return 'deleted' in record;
}
