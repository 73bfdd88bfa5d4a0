// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import type { BlobAnswer, Range } from './fetch/blob-range.ts';

export interface Credentials {
  username: string;
  password: string;
}

/** How one host is reached, where that is not as its registry's name says. */
export interface HostOptions {
  /** The address of its API, with the path that stands for `/v2`. */
  base: URL;
  /** Which registry it stands in for: the host is told so (`?ns=`). */
  namespace?: string;
  /** PEM of certificate authorities to trust besides the system's. */
  ca?: string;
  /** Takes any certificate. */
  skipVerify?: boolean;
  client?: { cert: string; key: string };
  /** Sent to this host only. */
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds to connect in. Default: 10000. */
  connectMs?: number;
}

export interface RemoteOptions {
  /** Default: what the registry's name says. */
  host?: HostOptions;

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
  /** Milliseconds before the second attempt, at most; it doubles. Default: 200. */
  backoffMs?: number;
  /** Milliseconds that the registry may send nothing of an answer to a GET or HEAD. Default: 60000. */
  readTimeoutMs?: number;
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

/** Where images are pulled from: a registry, or several that stand in for one. All methods throw ImageError. */
export interface PullSource {
  /** As in a reference. */
  readonly registry: string;

  /** @param identifier tag or digest. @throws also `DIGEST_MISMATCH`, `MANIFEST_INVALID` */
  fetchManifest(
    repository: string,
    identifier: string,
    options?: Abortable,
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }>;

  /** One answer with bytes of a blob, **not yet verified**. A server that knows no ranges sends all of it. */
  openBlob(
    repository: string,
    descriptor: Descriptor,
    range: Range | undefined,
    options?: Abortable,
  ): Promise<BlobAnswer>;

  /** The list of what refers to a manifest, as bytes of an index. Without the referrers API it is `NOT_FOUND`. */
  fetchReferrers(repository: string, subject: Digest, options?: Abortable): Promise<Buffer>;

  /** Told of who sent what was no good; says whether somebody else may do better. */
  blame?(origin: string, digest: Digest, fault: 'cut' | 'wrong'): boolean;
}

/**
 * One registry, as a client sees it (OCI distribution-spec). All methods throw ImageError: `REGISTRY_UNREACHABLE`,
 * `REGISTRY_UNAUTHORIZED`, `REGISTRY_ERROR`, and `NOT_FOUND` where the registry does not hold what was asked for.
 */
export interface RemoteRegistry extends PullSource {
  /** Scheme, host and port. */
  readonly url: string;

  /** What a reference points at, without its bytes. */
  resolve(reference: Reference, options?: Abortable): Promise<Descriptor>;

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

  /**
   * Whether the registry takes the credentials.
   *
   * @returns false if it asks for none
   * @throws also `REGISTRY_UNAUTHORIZED`
   */
  checkLogin(options?: Abortable): Promise<boolean>;

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
