// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { Expected } from '../verified-stream.ts';
import type { PartialBlob } from './partial/partial-blob.ts';

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

  /**
   * Takes foreign bytes in pieces, in any order. What was received survives the process and the machine: the next call
   * for the same digest goes on with it, wherever its bytes come from. Of two processes that want one blob the second
   * waits for the first. As with `write`, the blob appears whole and verified, or not at all.
   *
   * @param fill receives what is missing
   * @param options.onMismatch called when the content turned out to be wrong and was thrown away. Whether to receive
   *   it again; `resumed` says that some of it was from an earlier call
   * @returns what was there: nothing was received where the blob was whole already
   * @throws ImageError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `STORE_IO`, and what `fill` throws
   */
  receive(
    expected: Required<Expected>,
    fill: (blob: PartialBlob) => Promise<void>,
    options?: { signal?: AbortSignal; onMismatch?: (resumed: boolean) => boolean },
  ): Promise<'exists' | 'received'>;

  /** Bytes of a blob that were received in part, about. */
  partlyReceived(digest: Digest): Promise<number>;

  /** Takes bytes of our own whose digest is not yet known (a layer as it is being compressed). */
  ingest(source: Readable, options?: { signal?: AbortSignal }): Promise<{ digest: Digest; size: number }>;

  /** The descriptor that a name points at (a full reference: see `formatReference`), or undefined. */
  resolve(name: string): Promise<Descriptor | undefined>;

  /** Points a name at content that is already here; moves it where it exists. Atomic, durable. @throws `NOT_FOUND` */
  tag(name: string, descriptor: Descriptor): Promise<void>;

  /** Removes a name only. @returns whether it was there */
  untag(name: string): Promise<boolean>;

  /**
   * Keeps content that refers to other content, such as a signature, as long as that is kept. Both are there already.
   *
   * @throws ImageError `NOT_FOUND`
   */
  attach(subject: Digest, referrer: Descriptor): Promise<void>;

  /** What was attached to a manifest or an index, in byte order of the digests. */
  referrers(subject: Digest): Promise<Descriptor[]>;

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
