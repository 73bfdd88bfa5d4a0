// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';

export interface S3Options {
  /** Has to be there already. */
  bucket: string;
  /** Where in the bucket, such as `registry/`; default: at its top. At most 200 characters of `[A-Za-z0-9._!/-]`. */
  prefix?: string | undefined;
  /** `http://` or `https://` URL of a store that is not Amazon's. */
  endpoint?: string | undefined;
  /** Default: `AWS_REGION`, else `us-east-1`. */
  region?: string | undefined;
  /** Left out: as Amazon's tools find it (environment, files, the machine's role). */
  accessKeyId?: string | undefined;
  /** Goes with `accessKeyId`. */
  secretAccessKey?: string | undefined;
  /** Goes with temporary credentials. */
  sessionToken?: string | undefined;
  /** `ENDPOINT/BUCKET/KEY` and not `BUCKET.ENDPOINT/KEY`; default: true where there is an endpoint. */
  pathStyle?: boolean | undefined;
  /**
   * Let clients read blobs from the store by themselves, by presigned URLs; default false. A URL is good for whoever
   * has it, for as long as it says.
   */
  redirect?: boolean | undefined;
  /** The store's URL as clients see it, for presigned URLs; default: `endpoint`. */
  publicEndpoint?: string | undefined;
  /**
   * Promises that this server is the only one on the prefix, which is what it takes to work on a store that ignores
   * conditions (see `S3Store`). Default false.
   */
  exclusive?: boolean | undefined;
  /** How long one attempt of a request may take, milliseconds, and a second more for every 128 KiB sent. Default 10,000. */
  timeoutMs?: number | undefined;
  /** How often a request is tried in all. Default 5; after 20 s it is not tried again. */
  attempts?: number | undefined;
  /**
   * Bytes of a part, at least 5 MiB, default 8 MiB. An upload holds up to three of them in memory. Parts grow as an
   * upload does, so that it ends below the 10,000 that it may have: by default at 1.2 TiB.
   */
  partSize?: number | undefined;
  /** Bytes of records kept in memory. Default 64 MiB. */
  cacheBytes?: number | undefined;
}

export interface ResolvedOptions {
  bucket: string;
  /** Empty, or with its final `/`. */
  prefix: string;
  endpoint: string | undefined;
  publicEndpoint: string | undefined;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
  pathStyle: boolean;
  redirect: boolean;
  exclusive: boolean;
  timeoutMs: number;
  attempts: number;
  partSize: number;
  cacheBytes: number;
}

/** What every S3 store demands of all parts but the last one. */
export const LEAST_PART = 5 * 1024 * 1024;
/** A prefix and a key come to less than the 1024 bytes which S3 allows, for all keys that the registry makes. */
const LONGEST_PREFIX = 200;

/** @throws RegistryError `CONFIG_INVALID` */
export function resolveOptions(options: S3Options): ResolvedOptions {
  const prefix = prefixOf(options.prefix ?? '');
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(options.bucket)) throw wrong(`no bucket can be called ${options.bucket}`);
  const partSize = options.partSize ?? 8 * 1024 * 1024;
  if (partSize < LEAST_PART) throw wrong(`parts of ${partSize} bytes; S3 wants at least ${LEAST_PART}`);
  return {
    bucket: options.bucket,
    prefix,
    endpoint: urlOf(options.endpoint),
    publicEndpoint: urlOf(options.publicEndpoint ?? options.endpoint),
    region: options.region ?? process.env.AWS_REGION ?? 'us-east-1',
    credentials: credentialsOf(options),
    pathStyle: options.pathStyle ?? options.endpoint !== undefined,
    redirect: options.redirect ?? false,
    exclusive: options.exclusive ?? false,
    timeoutMs: options.timeoutMs ?? 10_000,
    attempts: options.attempts ?? 5,
    partSize,
    cacheBytes: options.cacheBytes ?? 64 * 1024 * 1024,
  };
}

function prefixOf(given: string): string {
  const folders = given.replace(/\/+$/, '').split('/');
  if (given === '') return '';
  const legal = given.length <= LONGEST_PREFIX && folders.every((one) => /^(?!\.{1,2}$)[A-Za-z0-9._!-]+$/.test(one));
  if (legal) return `${folders.join('/')}/`;
  throw wrong(
    `the prefix ${JSON.stringify(given.slice(0, 300))} is not a folder of at most ${LONGEST_PREFIX} characters`,
  );
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: S3Options) {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw wrong('an access key and its secret go together');
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function urlOf(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    // Not quoted: somebody may have written a password into it.
    throw wrong('the endpoint is not an http:// or https:// URL');
  }
  return endpoint;
}

function wrong(what: string): RegistryError {
  return new RegistryError('CONFIG_INVALID', `cannot open the S3 storage: ${what}`);
}
