// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestAlgorithm, digestHex } from '../../image-format/index.ts';

/*
 * The layout of the store. Segments that are ours begin with `_`, which no repository's component can; markers of
 * repositories end with `!`, so that `a` and `a/b` are a file and a folder, and sort as the names do (`!` is before
 * everything a name can hold).
 */

const path = (digest: Digest) => `${digestAlgorithm(digest)}/${digestHex(digest)}`;

/** Bytes, written once. */
export const dataKey = (id: string) => `data/${id}`;

/** What is known about a blob, in all repositories: {@link BlobRecord}. */
export const blobKey = (digest: Digest) =>
  `blobs/${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}/${digestHex(digest)}`;

/** Who may hold a blob: a superset, one marker a repository. */
export const blobRepositoriesPrefix = (digest: Digest) => `blob-repositories/${path(digest)}/`;
export const blobRepositoryKey = (digest: Digest, repository: string) =>
  `${blobRepositoriesPrefix(digest)}${repository}!`;

/** This repository may serve that blob: {@link BlobLink}. */
export const blobLinkKey = (repository: string, digest: Digest) => `repositories/${repository}/_blobs/${path(digest)}`;

/** A manifest or its tombstone: {@link ManifestRecord}. */
export const manifestKey = (repository: string, digest: Digest) =>
  `repositories/${repository}/_manifests/${path(digest)}`;

/** {@link TagRecord}. */
export const tagsPrefix = (repository: string) => `repositories/${repository}/_tags/`;
export const tagKey = (repository: string, tag: string) => `${tagsPrefix(repository)}${tag}`;
export const tagHistoryKey = (repository: string, tag: string, time: string) =>
  `repositories/${repository}/_tag-history/${tag}/${time}`;

/** Which tags may point at a manifest: a superset. */
export const taggedPrefix = (repository: string, digest: Digest) =>
  `repositories/${repository}/_tagged/${path(digest)}/`;
export const taggedKey = (repository: string, digest: Digest, tag: string) => taggedPrefix(repository, digest) + tag;

/** {@link ReferrerRecord}s, by the subject that they are about. */
export const referrersPrefix = (repository: string, subject: Digest) =>
  `repositories/${repository}/_referrers/${path(subject)}/`;
export const referrerKey = (repository: string, subject: Digest, digest: Digest) =>
  `${referrersPrefix(repository, subject)}${digestAlgorithm(digest)}-${digestHex(digest)}`;

/** One marker for each repository that ever held a manifest. */
export const CATALOG_PREFIX = 'catalog/';
export const catalogKey = (repository: string) => `${CATALOG_PREFIX}${repository}!`;

/** {@link SessionRecord}. */
export const UPLOADS_PREFIX = 'uploads/';
export const uploadKey = (id: string) => UPLOADS_PREFIX + id;
