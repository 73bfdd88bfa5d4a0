// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { ByteRange, DataReader, ObjectStore } from '../storage/contract.ts';
import type { BlobCache } from './blob-cache.ts';
import { blobKey, blobLinkKey, blobRepositoriesPrefix, blobRepositoryKey } from './keys.ts';
import { type BlobRecord, encode, parseBlob, parseBlobLink } from './records.ts';
import type { Surroundings } from './surroundings.ts';

/** How old a record's `renewed` may become before someone who relies on the blob writes it anew. */
const RENEW_AFTER_MS = 60 * 60 * 1000;

/** Bytes of a blob that became readable just now. */
export interface NewData {
  key: string;
  size: number;
}

/**
 * Blobs: one record for all repositories, and in each repository that may serve it a link which is valid as long as it
 * names the record's data. Record and reverse marker are written before the link, which alone makes the blob visible;
 * a crash may come between any two of them, and repeating all of it repairs.
 */
export class Blobs {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;
  readonly #cache: BlobCache;

  constructor(store: ObjectStore, surroundings: Surroundings, cache: BlobCache) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#cache = cache;
  }

  /** The blob, where `repository` may serve it. */
  async find(repository: string, digest: Digest): Promise<BlobRecord | undefined> {
    const linkKey = blobLinkKey(repository, digest);
    const key = blobKey(digest);
    const [link, stored] = await Promise.all([this.#store.get(linkKey), this.#store.get(key)]);
    if (link === undefined || stored === undefined) return undefined;
    const blob = parseBlob(stored, key);
    const valid = blob.state !== 'deleted' && parseBlobLink(link, linkKey).data === blob.data;
    return valid ? blob : undefined;
  }

  /** @throws RegistryError `BLOB_UNKNOWN` */
  async get(repository: string, digest: Digest): Promise<BlobRecord> {
    const blob = await this.find(repository, digest);
    if (blob === undefined) throw new RegistryError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
    return blob;
  }

  /** @throws RegistryError `DATA_UNKNOWN` where the collector was faster */
  read(blob: BlobRecord, range?: ByteRange): Promise<DataReader> {
    return this.#cache.read(blob, range);
  }

  /** Where a client may read the bytes by itself; undefined where only we can read them. */
  async urlOf(blob: BlobRecord, seconds: number): Promise<string | undefined> {
    return this.#store.urlOfData?.(blob.data, seconds);
  }

  /**
   * Takes verified data into `repository`. Data that another upload already brought is dropped.
   *
   * @param readable when the data can be read. Only then a record may name it, so that a live record whose data is not
   *   whole is one that lost it, and who finds such a record may replace it.
   */
  async accept(repository: string, digest: Digest, data: NewData, readable: Promise<void>): Promise<void> {
    await Promise.all([readable, this.#mark(repository, digest)]);
    const blob = await this.#establish(digest, data);
    const linked = await this.#link(repository, digest, blob, data);
    if (linked.data !== data.key) await this.#store.deleteData(data.key);
  }

  /** @returns false where `from` (or, without it, any repository) holds no such blob */
  async mount(repository: string, digest: Digest, from?: string): Promise<boolean> {
    const source = from === undefined ? await this.#anyHolder(digest) : await this.find(from, digest);
    if (source === undefined) return false;
    const blob = await this.#establish(digest);
    if (blob === undefined) return false;
    await this.#mark(repository, digest);
    await this.#link(repository, digest, blob);
    return true;
  }

  /**
   * Says that a manifest needs the blob: one that was condemned lives again, and whoever wanted to delete it fails.
   *
   * @returns whether `repository` holds it
   */
  async relyOn(repository: string, digest: Digest): Promise<boolean> {
    const blob = await this.find(repository, digest);
    if (blob === undefined) return false;
    if (blob.state === 'live') return true;
    return (await this.#establish(digest))?.data === blob.data;
  }

  /** Takes the blob from this repository only. @throws RegistryError `BLOB_UNKNOWN` */
  async delete(repository: string, digest: Digest): Promise<void> {
    await this.get(repository, digest);
    await this.#store.delete(blobLinkKey(repository, digest));
  }

  async #anyHolder(digest: Digest): Promise<BlobRecord | undefined> {
    const prefix = blobRepositoriesPrefix(digest);
    let after = '';
    for (;;) {
      const { keys, more } = await this.#store.list({ prefix, after, limit: 50 });
      for (const key of keys) {
        const blob = await this.find(key.slice(prefix.length, -1), digest);
        if (blob !== undefined) return blob;
        after = key;
      }
      if (!more) return undefined;
    }
  }

  /** Brings the blob's record to `live`. Without data of its own the caller gets undefined where there is none. */
  async #establish(digest: Digest, data: NewData): Promise<BlobRecord>;
  async #establish(digest: Digest, data?: NewData): Promise<BlobRecord | undefined>;
  async #establish(digest: Digest, data?: NewData): Promise<BlobRecord | undefined> {
    const key = blobKey(digest);
    for (;;) {
      const stored = await this.#store.get(key);
      const old = stored === undefined ? undefined : parseBlob(stored, key);
      const now = this.#surroundings.now();
      // Whoever brings the bytes again repairs a record whose data went missing; nobody else may rely on it.
      const kept = old !== undefined && old.state !== 'deleted' && (await this.#whole(old));
      if (kept && old.state === 'live' && now - old.renewed < RENEW_AFTER_MS) return old;
      const from = kept ? { key: old.data, size: old.size } : data;
      if (from === undefined) return undefined;
      const next: BlobRecord = {
        state: 'live',
        data: from.key,
        size: from.size,
        epoch: (old?.epoch ?? 0) + 1,
        renewed: now,
      };
      const condition = stored === undefined ? 'absent' : { ifMatch: stored.token };
      if ((await this.#store.put(key, encode(next), { condition })) !== undefined) return next;
    }
  }

  async #whole(blob: BlobRecord): Promise<boolean> {
    return (await this.#store.sizeOfData(blob.data)) === blob.size;
  }

  async #mark(repository: string, digest: Digest): Promise<void> {
    const marker = encode({ since: this.#surroundings.now() });
    await this.#store.put(blobRepositoryKey(digest, repository), marker, { condition: 'absent' });
  }

  /**
   * @param data what the caller brought, to stand in where the record was deleted or lost its data meanwhile
   * @returns what the link names
   */
  async #link(repository: string, digest: Digest, blob: BlobRecord, data?: NewData): Promise<BlobRecord> {
    const linkKey = blobLinkKey(repository, digest);
    let offered = data;
    for (let current: BlobRecord | undefined = blob; ; ) {
      // Data that a record once named belongs to the collector: it may be about to delete it.
      if (current.data === offered?.key) offered = undefined;
      const link = await this.#store.get(linkKey);
      if (link === undefined || parseBlobLink(link, linkKey).data !== current.data) {
        await this.#store.put(linkKey, encode({ data: current.data }));
      }
      // The blob may have been collected and brought again in between; then the link names the wrong data.
      const found = await this.#store.get(blobKey(digest));
      const now = found === undefined ? undefined : parseBlob(found, blobKey(digest));
      if (now?.data === current.data && now.state !== 'deleted') return current;
      current = await this.#establish(digest, offered);
      if (current === undefined) throw new RegistryError('BLOB_UNKNOWN', `the blob ${digest} was deleted meanwhile`);
    }
  }
}
