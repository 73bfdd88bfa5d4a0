// SPDX-License-Identifier: Apache-2.0

export type ProfileErrorCode =
  /** No profile of that name, no such file. */
  | 'PROFILE_UNKNOWN'
  /** A profile's file that is not JSON or breaks the schema. */
  | 'PROFILE_INVALID';

/** The shape of every room's errors: a code, a message of one line, a hint that says what to do. */
export class ProfileError extends Error {
  readonly code: ProfileErrorCode;
  readonly hint: string | undefined;

  constructor(code: ProfileErrorCode, message: string, detail: { hint?: string; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'ProfileError';
    this.code = code;
    this.hint = detail.hint;
  }
}
