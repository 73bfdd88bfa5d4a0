// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { Reference } from '../reference.ts';

export interface Credentials {
  username: string;
  password: string;
}

export interface RemoteOptions {
  /** Host with port, as in a reference: `localhost:5000`, `docker.io`. */
  registry: string;
  /** HTTP without TLS. Default: only for loopback hosts (`localhost`, 127.0.0.0/8, `[::1]`). */
  plainHttp?: boolean;
  /** Default: what the user's files and credential helpers say (see `findCredentials`); `null`: anonymous. */
  credentials?: Credentials | null;
  /** PEM of certificate authorities to trust besides the system's. */
  ca?: string;
  userAgent?: string;
  /** How often a request that can be repeated is tried. Default: 5. */
  attempts?: number;
  /** Milliseconds before the second attempt; it doubles. Default: 200. */
  backoffMs?: number;
  env?: NodeJS.ProcessEnv;
}

export interface BlobPush {
  /** Another repository of the same registry that holds the blob. */
  mountFrom?: string;
  /** Called with the bytes sent so far, of this attempt. */
  onProgress?: (sent: number) => void;
  signal?: AbortSignal;
}

export interface Abortable {
  signal?: AbortSignal;
}

/**
 * One registry, as a client sees it (OCI distribution-spec). All methods throw ImageError: `REGISTRY_UNREACHABLE`,
 * `REGISTRY_UNAUTHORIZED`, `REGISTRY_ERROR`, and `NOT_FOUND` where the registry does not hold what was asked for.
 */
export interface RemoteRegistry {
  /** As in a reference. */
  readonly registry: string;
  /** Scheme, host and port. */
  readonly url: string;

  /** What a reference points at, without its bytes. */
  resolve(reference: Reference, options?: Abortable): Promise<Descriptor>;

  /** @param identifier tag or digest. @throws also `DIGEST_MISMATCH`, `MANIFEST_INVALID` */
  fetchManifest(
    repository: string,
    identifier: string,
    options?: Abortable,
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }>;

  /**
   * The bytes of a blob, **not yet verified**: they go into `ContentStore.write`. A transfer that is cut goes on
   * where it stopped.
   */
  fetchBlob(repository: string, descriptor: Descriptor, options?: Abortable & { offset?: number }): Readable;

  hasBlob(repository: string, digest: Digest, options?: Abortable): Promise<boolean>;

  /** @param open opens the blob from its start; called once per attempt */
  pushBlob(
    repository: string,
    descriptor: Descriptor,
    open: () => Readable,
    options?: BlobPush,
  ): Promise<'exists' | 'mounted' | 'uploaded'>;

  /** @param identifier tag or digest */
  pushManifest(
    repository: string,
    identifier: string,
    bytes: Uint8Array,
    mediaType: string,
    options?: Abortable,
  ): Promise<Digest>;

  /** All tags, in the registry's order. */
  listTags(repository: string, options?: Abortable): Promise<string[]>;

  /** All repositories, in the registry's order. Not every registry tells them. */
  listRepositories(options?: Abortable): Promise<string[]>;

  /**
   * What a registry answers beside the protocol, as JSON.
   *
   * @param path with its query: `/api/v1/tags?repository=hello`
   * @returns undefined where the registry has nothing there
   */
  fetchJson(path: string, options?: Abortable): Promise<unknown>;

  /** Closes all connections; what is under way fails. */
  close(): Promise<void>;
}
