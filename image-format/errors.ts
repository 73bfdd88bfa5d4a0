// SPDX-License-Identifier: Apache-2.0

export interface ErrorDetail {
  /** What the user can do about it; one line, no full stop needed. */
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * The shape of every error a room throws on purpose: a code from that room's closed union, a message of one line that
 * says what is wrong and with what, and a hint that says what to do. Entry points (the command, the HTTP handlers)
 * print or answer it; nothing else does.
 */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = detail.hint;
  }
}

export type ImageErrorCode =
  /** A digest that does not parse, or an algorithm that is not registered. */
  | 'DIGEST_INVALID'
  /** Bytes that are not what their descriptor says: another digest. */
  | 'DIGEST_MISMATCH'
  /** More or fewer bytes than the descriptor says. */
  | 'SIZE_MISMATCH'
  | 'REFERENCE_INVALID'
  /** A manifest, index or config that breaks the image specification. */
  | 'MANIFEST_INVALID'
  | 'CONFIG_INVALID'
  /** A media type that is well formed but not one that is handled here. */
  | 'MEDIA_TYPE_UNSUPPORTED'
  /** A layer whose tar stream is damaged, ends early, or names a path outside the root. */
  | 'LAYER_INVALID'
  /** Compressed data that is damaged, ends early, or is followed by other bytes. */
  | 'COMPRESSION_INVALID'
  /** Content or a reference that this store does not hold. */
  | 'NOT_FOUND'
  | 'LAYOUT_INVALID'
  /** The store's disk is full or not writable. */
  | 'STORE_IO'
  /** Not an ELF file, another machine's, or damaged. */
  | 'ELF_INVALID'
  /** A shared library or interpreter that a program needs and that is nowhere to be found. */
  | 'LIBRARY_MISSING'
  /** A program that cannot use the libc that was asked for. */
  | 'LIBC_MISMATCH'
  /** A file to be added that is missing, or of a kind that no image can hold. */
  | 'SOURCE_INVALID'
  /** The same non-directory in two layers. */
  | 'PATH_CONFLICT'
  /** The registry could not be reached. */
  | 'REGISTRY_UNREACHABLE'
  /** The registry wants credentials, or refuses those it got. */
  | 'REGISTRY_UNAUTHORIZED'
  /** A `hosts.toml` that is damaged, or says what is not known here. */
  | 'MIRRORS_INVALID'
  /** The registry answered with an error, or with something that is no registry's answer. */
  | 'REGISTRY_ERROR';

export class ImageError extends CodedError<ImageErrorCode> {}
