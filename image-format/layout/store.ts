// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { Expected } from '../verified-stream.ts';

/**
 * Where content lives on this machine: blobs by digest, and names for descriptors. The one implementation keeps an OCI
 * image layout (image-spec image-layout.md) in a folder; what is read from it was verified when it was written.
 */
export interface ContentStore {
  /** The store's folder. */
  readonly root: string;

  /** Size in bytes, or undefined where the store does not hold that blob. */
  stat(digest: Digest): Promise<number | undefined>;

  /** The blob's file; it never changes. @throws ImageError `NOT_FOUND` */
  path(digest: Digest): Promise<string>;

  /** The whole blob, for manifests and configs. @throws ImageError `NOT_FOUND`, `SIZE_MISMATCH` above `limit` bytes */
  read(digest: Digest, limit?: number): Promise<Buffer>;

  /** @throws ImageError `NOT_FOUND` */
  stream(digest: Digest, range?: { start?: number; end?: number }): Readable;

  /**
   * Takes foreign bytes. The blob appears when it is whole, verified and on disk, or not at all. Concurrent writers of
   * one digest are fine. A blob that is already there is not written again (and `source` is destroyed).
   *
   * @throws ImageError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `STORE_IO`
   */
  write(expected: Expected, source: Readable, options?: { signal?: AbortSignal }): Promise<void>;

  /** Takes bytes of our own whose digest is not yet known (a layer as it is being compressed). */
  ingest(source: Readable, options?: { signal?: AbortSignal }): Promise<{ digest: Digest; size: number }>;

  /** The descriptor that a name points at (a full reference: see `formatReference`), or undefined. */
  resolve(name: string): Promise<Descriptor | undefined>;

  /** Points a name at content that is already here; moves it where it exists. Atomic, durable. @throws `NOT_FOUND` */
  tag(name: string, descriptor: Descriptor): Promise<void>;

  /** Removes a name only. @returns whether it was there */
  untag(name: string): Promise<boolean>;

  /** All names, in byte order. */
  list(): Promise<{ name: string; descriptor: Descriptor }[]>;

  /**
   * Removes blobs that no name reaches (through indexes, manifests, configs and layers). What is being written, and
   * what was written within `graceMs` (default: one hour), stays.
   *
   * @param options.keep what is used without having a name
   * @returns what was removed
   */
  collect(options?: {
    graceMs?: number;
    dryRun?: boolean;
    keep?: () => Promise<readonly Descriptor[]>;
  }): Promise<{ digest: Digest; size: number }[]>;
}
