// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';

/**
 * What a request to the store came to, where it did not come to what was asked for:
 *
 * - `absent`: no such object or upload;
 * - `condition`: what was asked for depends on a version that is not there;
 * - `unchanged`: the answer to If-None-Match;
 * - `passing`: worth another try (5xx, a slow or cut connection, bytes damaged on the way);
 * - `full`: no room; `refused`: rights, a missing bucket, and whatever else a retry does not change.
 */
export type FailureKind = 'absent' | 'condition' | 'unchanged' | 'passing' | 'full' | 'refused';

export class S3Failure extends Error {
  readonly kind: FailureKind;
  readonly status: number | undefined;
  /** S3's own code, or the operating system's. */
  readonly code: string;
  /**
   * Whether the store may have done what was asked for: this attempt's answer was lost, or an earlier one's of the same
   * request.
   */
  uncertain: boolean;

  constructor(kind: FailureKind, code: string, message: string, more: { status?: number; uncertain?: boolean } = {}) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.status = more.status;
    this.uncertain = more.uncertain ?? false;
  }
}

/** Answers that say that the store did not even begin. */
const NOT_BEGUN = new Set(['SlowDown', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const PASSING = new Set([
  'RequestTimeout',
  // The SDK sets its clock by the answer, so the next attempt is signed for the store's time.
  'RequestTimeTooSkewed',
  // The bytes that arrived are not those that were sent.
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'BadDigest',
  'IncompleteBody',
]);
const FULL = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'InsufficientCapacity']);

/** Reads what the SDK throws. Its errors hold whole requests, so they go no further than here. */
export function failureOf(error: unknown, timedOut: number | undefined): S3Failure {
  if (error instanceof S3Failure) return error;
  if (timedOut !== undefined) {
    return new S3Failure('passing', 'Timeout', `no answer within ${timedOut} ms`, { uncertain: true });
  }
  const { name, code, message, status } = readError(error);
  const known = status === undefined ? code : name;
  const said = message === '' || message === 'UnknownError' ? known : `${known}: ${message}`;
  const failure = (kind: FailureKind, uncertain = false) =>
    new S3Failure(kind, known, status === undefined ? said : `${said} (status ${status})`, {
      ...(status === undefined ? {} : { status }),
      uncertain,
    });
  if (status === 304) return failure('unchanged');
  if (FULL.has(known) || status === 507) return failure('full');
  // 409 is how stores say that another write to the same key was under way; nothing came of this one.
  if (PASSING.has(known) || status === 429 || status === 409) return failure('passing');
  if (known === 'NoSuchBucket') return failure('refused');
  if (status === 404) return failure('absent');
  if (status === 412) return failure('condition');
  // 501 is how a store says that it never will.
  if (status !== undefined && status >= 400 && (status < 500 || status === 501)) return failure('refused');
  return failure('passing', !NOT_BEGUN.has(known));
}

function readError(error: unknown): { name: string; code: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Unknown', code: 'Unknown', message: String(error), status: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number } | undefined) : undefined;
  // Several addresses, none of which answers.
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0].message : '';
  const message = (error.message || inner).slice(0, 300);
  return { name: error.name, code, message, status: metadata?.httpStatusCode };
}

const HINTS: Record<string, string> = {
  NoSuchBucket: 'make the bucket, or correct its name',
  SignatureDoesNotMatch: 'the secret key is wrong, or something on the way changes requests',
  InvalidAccessKeyId: 'the store does not know the access key',
  AccessDenied: 'the key may not do this; it needs to read, write, delete and list below the prefix',
  RequestTimeTooSkewed: "this machine's clock is wrong",
  ECONNREFUSED: 'is the store running, and the endpoint right?',
  ENOTFOUND: 'is the endpoint right?',
  PermanentRedirect: 'the bucket is in another region',
  AuthorizationHeaderMalformed: 'the bucket is in another region',
  CredentialsProviderError: 'name an access key and its secret, or give the machine a role',
};

/** The contract's error for a failure that no driver code expected. Errors that already are ours pass. */
export function storageError(what: string, error: unknown): unknown {
  if (!(error instanceof S3Failure)) return error;
  if (error.kind === 'full') {
    return new RegistryError('STORAGE_FULL', `cannot ${what}: the store has no room left: ${error.message}`, {
      cause: error,
      hint: 'free some space, or raise the quota; nothing has to be restarted',
    });
  }
  const forbidden = error.status === 403 ? 'the key is wrong, or may not do this' : undefined;
  const hint = HINTS[error.code] ?? forbidden;
  return new RegistryError('STORAGE_UNAVAILABLE', `cannot ${what}: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

export async function storage<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw storageError(what, error);
  }
}

export function isFailure(error: unknown, ...kinds: FailureKind[]): error is S3Failure {
  return error instanceof S3Failure && kinds.includes(error.kind);
}

/** Runs a step that may find nothing. */
export async function orUndefined<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step;
  } catch (error) {
    if (isFailure(error, 'absent')) return undefined;
    throw error;
  }
}
