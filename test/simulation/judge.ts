// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { blobKey, blobLinkKey, manifestKey } from '../../registry/service/keys.ts';
import { isTombstone, parseManifestRecord } from '../../registry/service/manifest-record.ts';
import { parseBlob, parseBlobLink } from '../../registry/service/records.ts';
import type { Server } from './client.ts';
import { BLOBS, MANIFESTS, REPOSITORIES, type SimulatedManifest, TAGS } from './content.ts';
import type { History } from './history.ts';
import type { SimulatedStore } from './simulated-store.ts';

/** Looks at the store itself, without waiting for anybody. */
export class Judge {
  readonly #store: SimulatedStore;
  readonly #history: History;

  constructor(store: SimulatedStore, history: History) {
    this.#store = store;
    this.#history = history;
  }

  /** No acknowledged manifest misses anything that it needs. @throws where one does */
  everythingAcknowledgedIsThere(): void {
    const standing = new Set(this.#history.standing());
    for (const push of this.#history.pushed()) {
      const { repository, digest, from } = push;
      const manifest = MANIFESTS.find((one) => one.digest === digest);
      if (manifest === undefined) continue;
      const named = `${manifest.name} in ${repository}`;
      const version = this.versionOf(repository, digest);
      // A deletion that was begun and came to nothing has not undone the push.
      if (!standing.has(push) && (push.version === undefined || version !== push.version)) continue;
      if (version === undefined) throw new Error(`${named} was acknowledged, and is gone`);
      for (const child of manifest.children) {
        if (this.#history.takenAway(repository, child.digest, from)) continue;
        if (!this.hasManifest(repository, child.digest)) throw new Error(`${named} misses its child ${child.name}`);
      }
      for (const blob of manifest.blobs) {
        if (this.#history.takenAway(repository, blob, from)) continue;
        if (this.dataOf(repository, blob) === undefined) throw new Error(`${named} misses the blob ${blob}`);
      }
    }
  }

  /** What was pushed, mounted, or said to be there does not go before its time. */
  everythingBroughtIsThere(): void {
    for (const { repository, digest, from } of this.#history.brought()) {
      if (this.#history.takenAway(repository, digest, from)) continue;
      if (this.dataOf(repository, digest) === undefined)
        throw new Error(`${digest} was brought to ${repository}, and is gone`);
    }
  }

  hasManifest(repository: string, digest: Digest): boolean {
    return this.versionOf(repository, digest) !== undefined;
  }

  /** Undefined where there is no such manifest. */
  versionOf(repository: string, digest: Digest): number | undefined {
    const key = manifestKey(repository, digest);
    const stored = this.#store.peek(key);
    const record = stored === undefined ? undefined : parseManifestRecord(stored, key);
    return record === undefined || isTombstone(record) ? undefined : record.version;
  }

  /** Where the bytes of a blob are that a repository may serve. @throws where they are not those of the blob */
  dataOf(repository: string, digest: Digest): string | undefined {
    const link = this.#store.peek(blobLinkKey(repository, digest));
    const stored = this.#store.peek(blobKey(digest));
    if (link === undefined || stored === undefined) return undefined;
    const blob = parseBlob(stored, '');
    if (blob.state === 'deleted' || parseBlobLink(link, '').data !== blob.data) return undefined;
    const bytes = this.#store.peekData(blob.data);
    if (bytes === undefined) return undefined;
    if (bytes.toString() !== BLOBS.get(digest)) throw new Error(`${digest} has the bytes of something else`);
    return blob.data;
  }

  /** Referrers lists hold what refers, and nothing else. */
  async referrersAreTrue({ service }: Server): Promise<void> {
    for (const repository of REPOSITORIES) {
      for (const subject of new Set(MANIFESTS.flatMap((manifest) => manifest.subject ?? []))) {
        const { descriptors } = await service.referrers.list(repository, subject, { limit: 100 });
        for (const { digest } of descriptors) {
          if (!this.hasManifest(repository, digest as Digest)) throw new Error(`${digest} refers, and is gone`);
        }
        const listed = new Set(descriptors.map(({ digest }) => digest));
        for (const { digest, repository: at } of this.#history.standing()) {
          const refers = MANIFESTS.some((one) => one.digest === digest && one.subject === subject);
          if (at === repository && refers && !listed.has(digest))
            throw new Error(`${digest} refers, and is not listed`);
        }
      }
    }
  }

  /** A list of tags holds those that lead somewhere, and no other. */
  async tagListsAreTrue({ service }: Server): Promise<void> {
    for (const repository of REPOSITORIES) {
      const { names } = await service.tags.list(repository, 10);
      for (const tag of TAGS) {
        const found = await service.manifests.get(repository, { tag }).catch(() => undefined);
        if (names.includes(tag) !== (found !== undefined)) throw new Error(`${tag} of ${repository} is listed wrongly`);
      }
    }
  }

  /** After everything has come to rest and was collected: what manifests need, and nothing else. */
  nothingIsLeftOver(): void {
    const links = new Set<string>();
    const blobs = new Set<string>();
    const data = new Set<string>();
    for (const repository of REPOSITORIES) {
      for (const digest of MANIFESTS.filter((one) => this.hasManifest(repository, one.digest)).flatMap(blobsOf)) {
        // Of a manifest that was refused in the middle of its push, a link may lead nowhere.
        const link = blobLinkKey(repository, digest);
        if (this.#store.peek(link) !== undefined) links.add(link);
        const key = this.dataOf(repository, digest);
        if (key === undefined) continue;
        blobs.add(blobKey(digest));
        data.add(key);
      }
    }
    this.#same('data', this.#store.keys('data/'), data);
    this.#same('blobs', this.#store.keys('blobs/'), blobs);
    this.#same('links', this.#keysWith('/_blobs/'), links);
    this.#same('unfinished data', this.#store.unfinishedKeys(), new Set());
    this.#same('uploads', this.#store.keys('uploads/'), new Set());
    this.#same('collections', this.#store.keys('collector/'), new Set());
    for (const key of blobs) {
      const stored = this.#store.peek(key);
      if (stored === undefined || parseBlob(stored, key).state !== 'live') throw new Error(`${key} is not live`);
    }
    for (const key of this.#keysWith('/_manifests/')) {
      const stored = this.#store.peek(key);
      if (stored === undefined || isTombstone(parseManifestRecord(stored, key))) throw new Error(`${key} is left over`);
    }
  }

  #keysWith(section: string): string[] {
    return this.#store.keys('repositories/').filter((key) => key.includes(section));
  }

  #same(what: string, found: readonly string[], wanted: ReadonlySet<string>): void {
    const left = found.filter((key) => !wanted.has(key));
    const lost = [...wanted].filter((key) => !found.includes(key));
    if (left.length > 0) throw new Error(`${what} left over: ${left.join(' ')}`);
    if (lost.length > 0) throw new Error(`${what} lost: ${lost.join(' ')}`);
  }
}

const blobsOf = ({ blobs }: SimulatedManifest) => blobs;
