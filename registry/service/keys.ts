// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../image-format/index.ts';
import type { Surroundings } from './surroundings.ts';

/*
 * The layout of the store. Segments that are ours begin with `_`, which no repository's component can; markers of
 * repositories end with `!`, so that `a` and `a/b` are a file and a folder, and sort as the names do (`!` is before
 * everything a name can hold).
 */

const path = (digest: Digest) => `${digestAlgorithm(digest)}/${digestHex(digest)}`;

/** Bytes, written once. */
export const DATA_PREFIX = 'data/';

/** A key for new data. It tells when it was made, so that how old nameless data is can be told from its key alone. */
export function freshDataKey(surroundings: Surroundings): string {
  return `${DATA_PREFIX}${sortableTime(surroundings.now())}-${surroundings.uniqueId()}`;
}

/** Milliseconds since 1970; undefined for a key that does not tell. */
export function dataTime(key: string): number | undefined {
  const time = /^data\/([0-9]{15})-/.exec(key)?.[1];
  return time === undefined ? undefined : Number(time);
}

/** Times that sort as text. */
export const sortableTime = (ms: number) => String(Math.floor(ms)).padStart(15, '0');

/** What is known about a blob, in all repositories: {@link BlobRecord}. */
export const BLOBS_PREFIX = 'blobs/';
export const blobKey = (digest: Digest) =>
  `${BLOBS_PREFIX}${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}/${digestHex(digest)}`;

/** Who may hold a blob: a superset, one {@link BlobMarker} a repository. */
export const blobRepositoriesPrefix = (digest: Digest) => `blob-repositories/${path(digest)}/`;
export const blobRepositoryKey = (digest: Digest, repository: string) =>
  `${blobRepositoriesPrefix(digest)}${repository}!`;

export const REPOSITORIES_PREFIX = 'repositories/';

/** This repository may serve that blob: {@link BlobLink}. */
export const blobLinksPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_blobs/`;
export const blobLinkKey = (repository: string, digest: Digest) => blobLinksPrefix(repository) + path(digest);

/** A manifest or its tombstone: {@link ManifestRecord}. */
export const manifestsPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_manifests/`;
export const manifestKey = (repository: string, digest: Digest) => manifestsPrefix(repository) + path(digest);

/** {@link TagRecord}. */
export const tagsPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_tags/`;
export const tagKey = (repository: string, tag: string) => `${tagsPrefix(repository)}${tag}`;
export const tagHistoryPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_tag-history/`;
export const tagHistoryKey = (repository: string, tag: string, time: string) =>
  `${tagHistoryPrefix(repository)}${tag}/${time}`;

/** Which tags may point at a manifest: a superset. */
export const allTaggedPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_tagged/`;
export const taggedPrefix = (repository: string, digest: Digest) => `${allTaggedPrefix(repository)}${path(digest)}/`;
export const taggedKey = (repository: string, digest: Digest, tag: string) => taggedPrefix(repository, digest) + tag;

/** {@link ReferrerRecord}s, by the subject that they are about. */
export const allReferrersPrefix = (repository: string) => `${REPOSITORIES_PREFIX}${repository}/_referrers/`;
export const referrersPrefix = (repository: string, subject: Digest) =>
  `${allReferrersPrefix(repository)}${path(subject)}/`;
export const referrerKey = (repository: string, subject: Digest, digest: Digest) =>
  `${referrersPrefix(repository, subject)}${digestAlgorithm(digest)}-${digestHex(digest)}`;

/** One marker for each repository that ever held a manifest. */
export const CATALOG_PREFIX = 'catalog/';
export const catalogKey = (repository: string) => `${CATALOG_PREFIX}${repository}!`;

/** Which repositories changed lately, by slots of time that come around again: see `changes.ts`. */
export const CHANGES_PREFIX = 'changes/';
export const changesPrefix = (slot: number) => `${CHANGES_PREFIX}${String(slot).padStart(3, '0')}/`;
export const changeKey = (slot: number, repository: string) => `${changesPrefix(slot)}${repository}!`;

/** {@link SessionRecord}. */
export const UPLOADS_PREFIX = 'uploads/';
export const uploadKey = (id: string) => UPLOADS_PREFIX + id;

/** Where a collection stands: {@link CollectionRecord}. */
export const COLLECTION_KEY = 'collector/run';

/** The digest that a key below `prefix` begins with: `<alg>/<hex>`, or `<alg>/<xx>/<hex>`. */
export function digestIn(key: string, prefix: string): Digest | undefined {
  const [algorithm, second = '', third = ''] = key.slice(prefix.length).split('/');
  const digest = `${algorithm}:${second.length === 2 ? third : second}`;
  return isDigest(digest) ? digest : undefined;
}
