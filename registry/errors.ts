// SPDX-License-Identifier: Apache-2.0
import { CodedError } from '../image-format/index.ts';

/** What the registry throws on purpose. Nothing here knows HTTP: `http/error-answer.ts` gives each code its status. */
export type RegistryErrorCode =
  /** A repository's name that the specification does not allow. */
  | 'NAME_INVALID'
  /** A repository that holds nothing. */
  | 'NAME_UNKNOWN'
  | 'TAG_INVALID'
  /** A digest that does not parse, or bytes that have another one. */
  | 'DIGEST_INVALID'
  /** Fewer or more bytes than were announced. */
  | 'SIZE_INVALID'
  | 'BLOB_UNKNOWN'
  | 'UPLOAD_UNKNOWN'
  /** A request about an upload that contradicts itself. */
  | 'UPLOAD_INVALID'
  /** Bytes for another offset than the upload's, or the loser of a race for it. */
  | 'UPLOAD_OUT_OF_ORDER'
  | 'MANIFEST_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_TOO_LARGE'
  /** A manifest that names blobs or manifests which its repository does not hold. */
  | 'MANIFEST_BLOB_UNKNOWN'
  /** A path that no layer of an image has, or that is no file. */
  | 'FILE_UNKNOWN'
  /** Content that cannot be shown: no tar, encrypted, damaged, or too large to be looked into. */
  | 'CONTENT_UNREADABLE'
  /** A range of a blob that lies outside of it. */
  | 'RANGE_INVALID'
  /** A query parameter that makes no sense. */
  | 'PARAMETER_INVALID'
  /** More tags in one push than the registry sets at once. */
  | 'TAGS_TOO_MANY'
  /** What the client made a condition is not so: the tag or manifest is another one than it believed. */
  | 'CONDITION_FAILED'
  /** A path or a method that the registry does not have. */
  | 'ROUTE_UNKNOWN'
  | 'METHOD_UNSUPPORTED'
  /** A key that the storage contract does not allow; a mistake of ours, never of a client. */
  | 'KEY_INVALID'
  /** Bytes that should be there and are not (they went away between two steps of a request). */
  | 'DATA_UNKNOWN'
  /** The store has no room left. */
  | 'STORAGE_FULL'
  /** The store cannot be read or written now: rights, a read-only or broken disk, too many open files. */
  | 'STORAGE_UNAVAILABLE'
  /** A record in the store that does not read as what was written. */
  | 'STORAGE_DAMAGED'
  /** Another server runs on the same folder. */
  | 'STORAGE_IN_USE'
  /** The address to listen on is taken, or not ours. */
  | 'LISTEN_FAILED'
  /** A collection that its asker, or its server's end, broke off. */
  | 'COLLECTION_ENDED'
  /** A setting of the server that makes no sense. */
  | 'CONFIG_INVALID'
  /** The client went away in the middle of its request. */
  | 'CLIENT_GONE';

export class RegistryError extends CodedError<RegistryErrorCode> {}
