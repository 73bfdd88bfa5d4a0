// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, type ManifestDocument, parseDigest } from '../../image-format/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { manifestKey, referrerKey, referrersPrefix } from './keys.ts';
import { isTombstone, parseManifestRecord } from './manifest-record.ts';
import { encode, parseReferrer } from './records.ts';

/** Clients cap what they read of an index at 4 MiB; a page stays below that. */
const PAGE_BYTES = 3 * 1024 * 1024;
const READ_AT_ONCE = 32;

export interface ReferrersPage {
  descriptors: Descriptor[];
  /** Where the next page begins; undefined on the last one. */
  next?: string;
}

/** The manifests that name a subject: one entry each, valid as long as the manifest is there in the entry's version. */
export class Referrers {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async add(repository: string, subject: Digest, descriptor: Descriptor, version: number): Promise<void> {
    const key = referrerKey(repository, subject, parseDigest(descriptor.digest));
    const stored = await this.#store.get(key);
    if (stored !== undefined && parseReferrer(stored, key).version >= version) return;
    await this.#store.put(key, encode({ version, descriptor }));
  }

  /** Deletes the entry of a manifest in a version before `version`. */
  async delete(repository: string, subject: Digest, digest: Digest, version: number): Promise<void> {
    const key = referrerKey(repository, subject, digest);
    const stored = await this.#store.get(key);
    if (stored === undefined || parseReferrer(stored, key).version >= version) return;
    await this.#store.delete(key, { ifMatch: stored.token });
  }

  /**
   * @param filter only entries of that artifact type
   * @param after `next` of the page before
   * @param limit the most descriptors in one answer
   */
  async list(
    repository: string,
    subject: Digest,
    options: { filter?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<ReferrersPage> {
    const prefix = referrersPrefix(repository, subject);
    const descriptors: Descriptor[] = [];
    let bytes = 0;
    for (let after = options.after ?? ''; ; ) {
      const cursor = after === '' ? {} : { after: prefix + after };
      const { keys, more } = await this.#store.list({ prefix, ...cursor, limit: READ_AT_ONCE });
      const found = await Promise.all(keys.map((key) => this.#valid(repository, key)));
      for (const [at, descriptor] of found.entries()) {
        const wanted = descriptor !== undefined && (!options.filter || descriptor.artifactType === options.filter);
        if (wanted) {
          const size = JSON.stringify(descriptor).length;
          const full = descriptors.length >= options.limit || (descriptors.length > 0 && bytes + size > PAGE_BYTES);
          if (full) return { descriptors, next: after };
          descriptors.push(descriptor);
          bytes += size;
        }
        // `found` has one element a key.
        after = (keys[at] as string).slice(prefix.length);
      }
      if (!more) return { descriptors };
    }
  }

  async #valid(repository: string, key: string): Promise<Descriptor | undefined> {
    const stored = await this.#store.get(key);
    if (stored === undefined) return undefined;
    const { descriptor, version } = parseReferrer(stored, key);
    const at = manifestKey(repository, parseDigest(descriptor.digest));
    const manifest = await this.#store.get(at);
    if (manifest === undefined) return undefined;
    const record = parseManifestRecord(manifest, at);
    return !isTombstone(record) && record.version === version ? descriptor : undefined;
  }
}

/** The entry that a referrers list holds for a manifest (distribution-spec, "Listing Referrers"). */
export function referrerDescriptor(
  document: ManifestDocument,
  manifest: { mediaType: string; digest: Digest; size: number },
): Descriptor {
  const { value } = document;
  // An image that says nothing of itself is what its config is; an index has no config, so it is of no type.
  const artifactType =
    value.artifactType ?? (document.kind === 'manifest' ? document.value.config.mediaType : undefined);
  return {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(value.annotations === undefined ? {} : { annotations: value.annotations }),
  };
}
