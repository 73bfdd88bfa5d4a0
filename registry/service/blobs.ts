// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { ByteRange, DataReader, ObjectStore, StoredRecord } from '../storage/contract.ts';
import type { BlobCache } from './blob-cache.ts';
import { blobKey, blobLinkKey, blobRepositoriesPrefix, blobRepositoryKey } from './keys.ts';
import {
  type BlobLink,
  type BlobMarker,
  type BlobRecord,
  encode,
  parseBlob,
  parseBlobLink,
  parseBlobMarker,
} from './records.ts';
import type { Surroundings } from './surroundings.ts';

/** How old `renewed` may become, of a record or a link, before someone who relies on the blob writes it anew. */
const RENEW_AFTER_MS = 60 * 60 * 1000;

/** Bytes of a blob that became readable just now. */
export interface NewData {
  key: string;
  size: number;
  /** Until when a record may name it, milliseconds since 1970: see `data-age.ts`. */
  until: number;
}

/**
 * Blobs: one record for all repositories, and in each repository that may serve it a link which is valid as long as it
 * names the record's data. The record comes first, then the reverse marker by which the collector finds the link, then
 * the link, which alone makes the blob visible; then another look at the record. A crash may come between any two of
 * them, and repeating all of it repairs.
 *
 * **Beside the collector** (`collector/`) everything rests on one rule, kept twice. It condemns, then looks for a
 * reason not to, then deletes what is still condemned by that very mark. Who relies writes his reason first, then looks
 * for the mark, and takes it off. So one of the two sees the other. The reason to keep a link is a manifest in its
 * repository that names the blob; the reason to keep a blob is a valid link.
 *
 * **Data keys are never used twice**, and a record never goes back to data it was deleted with. Whoever finds a link or
 * a marker that names other data than his own therefore reads the record once more, and replaces them by
 * compare-and-swap only if it still names his: what he replaces is then older, never newer.
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
    const [link, blob] = await Promise.all([this.#linkOf(repository, digest), this.#recordOf(digest)]);
    return link !== undefined && blob !== undefined && serves(link.link, blob.blob) ? blob.blob : undefined;
  }

  /** @throws RegistryError `BLOB_UNKNOWN` */
  async get(repository: string, digest: Digest): Promise<BlobRecord> {
    const blob = await this.find(repository, digest);
    if (blob === undefined) throw unknown(repository, digest);
    return blob;
  }

  /**
   * The blob, for somebody who asks whether it is there and may push a manifest upon the answer: one that was condemned
   * lives again, so that it does not go before the manifest comes.
   *
   * @throws RegistryError `BLOB_UNKNOWN`
   */
  async getToRely(repository: string, digest: Digest): Promise<BlobRecord> {
    const [link, blob] = await Promise.all([this.#linkOf(repository, digest), this.#recordOf(digest)]);
    if (link === undefined || blob === undefined || !serves(link.link, blob.blob)) throw unknown(repository, digest);
    if (link.link.condemned === undefined && blob.blob.state === 'live') return blob.blob;
    if ((await this.relyOn(repository, digest)) === undefined) throw unknown(repository, digest);
    return blob.blob;
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
   * @throws RegistryError `UPLOAD_UNKNOWN` where a collector was faster: the bytes have to be pushed again
   */
  async accept(repository: string, digest: Digest, data: NewData, readable: Promise<void>): Promise<void> {
    await Promise.all([readable, this.#markEarly(repository, digest, data.key)]);
    const shared = await this.#share(repository, digest, data);
    if (shared === undefined) throw collected(`the blob ${digest} was deleted meanwhile`);
    if (shared.data !== data.key) await this.#store.deleteData(data.key);
  }

  /** @returns false where `from` (or, without it, any repository) holds no such blob */
  async mount(repository: string, digest: Digest, from?: string): Promise<boolean> {
    const source = from === undefined ? await this.#anyHolder(digest) : await this.find(from, digest);
    return source !== undefined && (await this.#share(repository, digest)) !== undefined;
  }

  /**
   * Says that a manifest needs the blob: one that was condemned lives again, and whoever wanted to delete it fails.
   *
   * @returns the blob, or undefined where `repository` does not hold it
   */
  async relyOn(repository: string, digest: Digest): Promise<BlobRecord | undefined> {
    for (;;) {
      // The link first, the record after it: a record that is still live now is condemned later, by somebody who then
      // looks for links, and finds this one.
      const held = await this.#linkOf(repository, digest);
      const found = await this.#recordOf(digest);
      if (held === undefined || found === undefined || !serves(held.link, found.blob)) return undefined;
      if (held.link.condemned !== undefined) {
        await this.#writeLink(repository, digest, found.blob.data, held.stored);
      } else if (found.blob.state === 'condemned') {
        if ((await this.#establish(digest))?.data !== held.link.data) return undefined;
      } else {
        await this.#store.settle(keysOf(repository, digest));
        return found.blob;
      }
    }
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

  /**
   * Brings the blob into the repository: record, marker, link, each as the one before asks for.
   *
   * @param data what the caller brought, to stand in where there is none
   * @returns undefined where there is none, or it was deleted meanwhile
   */
  async #share(repository: string, digest: Digest, data?: NewData): Promise<BlobRecord | undefined> {
    const offer = { data };
    for (;;) {
      const blob = await this.#establish(digest, offer);
      if (blob === undefined) return undefined;
      if (!(await this.#mark(repository, digest, blob.data))) continue;
      if (!(await this.#link(repository, digest, blob.data))) continue;
      const now = (await this.#recordOf(digest))?.blob;
      // One that was condemned just now was perhaps searched for links before this one stood there.
      if (now?.data !== blob.data || now.state !== 'live') continue;
      await this.#store.settle(keysOf(repository, digest));
      return blob;
    }
  }

  /**
   * Brings the blob's record to `live`.
   *
   * @param offer taken out as soon as a record may name it, even if that write seems to have failed (a store that
   *   repeats a write whose answer was lost fails because of itself): from then on the data belongs to the collector,
   *   which may be about to delete it
   * @returns undefined where there is no data, nor any offered
   */
  async #establish(digest: Digest, offer: { data?: NewData | undefined } = {}): Promise<BlobRecord | undefined> {
    const key = blobKey(digest);
    for (;;) {
      const stored = await this.#store.get(key);
      const old = stored === undefined ? undefined : parseBlob(stored, key);
      // Whoever brings the bytes again repairs a record whose data went missing; nobody else may rely on it.
      const kept = old !== undefined && old.state !== 'deleted' && (await this.#whole(old));
      const now = this.#surroundings.now();
      if (kept && old.state === 'live' && now - old.renewed < RENEW_AFTER_MS) return old;
      const from = kept ? { key: old.data, size: old.size, until: now + 1 } : offer.data;
      if (from === undefined) return undefined;
      if (now >= from.until) {
        throw collected(`the bytes of ${digest} came so long ago that they may be gone`);
      }
      if (!kept) offer.data = undefined;
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

  /** The marker of a blob that is probably new, while its data becomes durable. */
  async #markEarly(repository: string, digest: Digest, data: string): Promise<void> {
    const marker: BlobMarker = { data };
    await this.#store.put(blobRepositoryKey(digest, repository), encode(marker), { condition: 'absent' });
  }

  /** @returns false where the record does not name that data any more, or somebody else was faster */
  async #mark(repository: string, digest: Digest, data: string): Promise<boolean> {
    const key = blobRepositoryKey(digest, repository);
    const stored = await this.#store.get(key);
    if (stored !== undefined && parseBlobMarker(stored, key).data === data) return true;
    return (stored === undefined || (await this.#names(digest, data))) && this.#swap(key, stored, { data });
  }

  /** @returns false where the record does not name that data any more, or somebody else was faster */
  async #link(repository: string, digest: Digest, data: string): Promise<boolean> {
    const held = await this.#linkOf(repository, digest);
    if (held?.link.data === data && held.link.condemned === undefined) {
      if (this.#surroundings.now() - held.link.renewed < RENEW_AFTER_MS) return true;
    }
    const mine = held === undefined || (await this.#names(digest, data));
    return mine && this.#writeLink(repository, digest, data, held?.stored);
  }

  #writeLink(repository: string, digest: Digest, data: string, old: StoredRecord | undefined): Promise<boolean> {
    const link: BlobLink = { data, renewed: this.#surroundings.now() };
    return this.#swap(blobLinkKey(repository, digest), old, link);
  }

  async #swap(key: string, old: StoredRecord | undefined, value: BlobLink | BlobMarker): Promise<boolean> {
    const condition = old === undefined ? 'absent' : { ifMatch: old.token };
    return (await this.#store.put(key, encode(value), { condition })) !== undefined;
  }

  async #names(digest: Digest, data: string): Promise<boolean> {
    const found = await this.#recordOf(digest);
    return found?.blob.data === data && found.blob.state !== 'deleted';
  }

  async #recordOf(digest: Digest): Promise<{ blob: BlobRecord; stored: StoredRecord } | undefined> {
    const key = blobKey(digest);
    const stored = await this.#store.get(key);
    return stored === undefined ? undefined : { blob: parseBlob(stored, key), stored };
  }

  async #linkOf(repository: string, digest: Digest): Promise<{ link: BlobLink; stored: StoredRecord } | undefined> {
    const key = blobLinkKey(repository, digest);
    const stored = await this.#store.get(key);
    return stored === undefined ? undefined : { link: parseBlobLink(stored, key), stored };
  }
}

/** Whether a link stands for the blob as it is now. */
export function serves(link: BlobLink, blob: BlobRecord): boolean {
  return blob.state !== 'deleted' && link.data === blob.data;
}

/** All that has to be there for a blob to be served, and to be seen by a collector. */
function keysOf(repository: string, digest: Digest): string[] {
  return [blobKey(digest), blobRepositoryKey(digest, repository), blobLinkKey(repository, digest)];
}

function collected(message: string): RegistryError {
  return new RegistryError('UPLOAD_UNKNOWN', message, { hint: 'push it again' });
}

function unknown(repository: string, digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
}
