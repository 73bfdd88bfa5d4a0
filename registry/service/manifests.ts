// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestAlgorithm, digestOf } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { ObjectStore } from '../storage/contract.ts';
import type { Blobs } from './blobs.ts';
import type { Catalog } from './catalog.ts';
import type { Changes } from './changes.ts';
import { catalogKey, manifestKey, referrerKey, taggedKey, tagKey } from './keys.ts';
import { type ManifestContent, type Need, readPushedManifest } from './manifest-content.ts';
import {
  encodeManifest,
  encodeTombstone,
  isTombstone,
  type ManifestRecord,
  parseManifestRecord,
} from './manifest-record.ts';
import type { TagRecord } from './records.ts';
import { type Referrers, referrerDescriptor } from './referrers.ts';
import type { Surroundings } from './surroundings.ts';
import { conditionFailed, type Tags, tagUnknown } from './tags.ts';

/** A manifest may name tens of thousands of blobs. */
const CHECKED_AT_ONCE = 64;

export interface StoredManifest extends ManifestRecord {
  digest: Digest;
}

export interface PushedManifest {
  digest: Digest;
  subject: Digest | undefined;
  /** What the manifest names and the repository does not hold; nothing but where sparse manifests are taken. */
  missing: readonly Digest[];
}

/** Whether to go on where this is there now; undefined stands for nothing. */
export type Condition = (current: Digest | undefined) => boolean;

export interface ManifestPush {
  bytes: Uint8Array;
  contentType: string | undefined;
  /** What the client says its digest is; without it, it is sha256. */
  digest?: Digest | undefined;
  /** Tags to point at it. */
  tags: readonly string[];
  /** About the manifest where it is pushed by digest, else about where its tag points. */
  condition?: Condition | undefined;
}

export interface ManifestsOptions {
  /** Take manifests that name blobs or manifests which the repository does not hold. */
  sparse: boolean;
}

/** Manifests, and the order of writes that keeps tags, referrers and blobs true to them. */
export class Manifests {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;
  readonly #blobs: Blobs;
  readonly #tags: Tags;
  readonly #referrers: Referrers;
  readonly #catalog: Catalog;
  readonly #changes: Changes;
  readonly #options: ManifestsOptions;

  constructor(
    store: ObjectStore,
    surroundings: Surroundings,
    rooms: { blobs: Blobs; tags: Tags; referrers: Referrers; catalog: Catalog; changes: Changes },
    options: ManifestsOptions,
  ) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#blobs = rooms.blobs;
    this.#tags = rooms.tags;
    this.#referrers = rooms.referrers;
    this.#catalog = rooms.catalog;
    this.#changes = rooms.changes;
    this.#options = options;
  }

  /** @throws RegistryError `MANIFEST_UNKNOWN` */
  async get(repository: string, reference: { tag: string } | { digest: Digest }): Promise<StoredManifest> {
    if ('digest' in reference) {
      const manifest = await this.#find(repository, reference.digest);
      if (manifest !== undefined) return { ...manifest, digest: reference.digest };
      throw new RegistryError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference.digest}`);
    }
    const tag = await this.#tags.find(repository, reference.tag);
    const manifest = tag === undefined ? undefined : await this.#find(repository, tag.digest);
    if (tag === undefined || manifest?.version !== tag.version) throw tagUnknown(repository, reference.tag);
    return { ...manifest, digest: tag.digest };
  }

  /**
   * Writes, in this order: manifest, referrer entry, markers and tags; then looks again whether the manifest and all
   * it needs are still there, and begins anew if a deletion came between. Repeating a push repairs what a crash left.
   *
   * @throws RegistryError `MANIFEST_INVALID`, `MANIFEST_TOO_LARGE`, `MANIFEST_BLOB_UNKNOWN`, `DIGEST_INVALID`,
   *   `CONDITION_FAILED`
   */
  put(repository: string, push: ManifestPush): Promise<PushedManifest> {
    return this.#changes.during(repository, (noted) => this.#put(repository, push, noted));
  }

  async #put(repository: string, push: ManifestPush, noted: Promise<void>): Promise<PushedManifest> {
    const content = readPushedManifest(push.bytes, push.contentType);
    const digest = digestOf(push.bytes, push.digest === undefined ? 'sha256' : digestAlgorithm(push.digest));
    if (push.digest !== undefined && push.digest !== digest) {
      throw new RegistryError('DIGEST_INVALID', `the manifest has the digest ${digest}, not ${push.digest}`);
    }
    const { subject } = content;
    const before = await this.#checkCondition(repository, digest, push);
    await Promise.all([this.#checkNeeds(repository, content), this.#checkSubject(repository, content), noted]);
    for (let round = 0; ; round += 1) {
      const [version] = await Promise.all([
        this.#write(repository, digest, content, push.bytes),
        this.#catalog.add(repository),
      ]);
      const target = { digest, version };
      const entry = referrerDescriptor(content.document, { ...content, digest, size: push.bytes.length });
      // Markers before tags; whether the referrer entry comes before or after them is all the same.
      await Promise.all([
        subject === undefined ? undefined : this.#referrers.add(repository, subject, entry, version),
        ...push.tags.map((tag) => this.#tags.mark(repository, tag, target)),
      ]);
      // A later round finds the tag as this push left it, or as somebody did after it.
      const expected = round === 0 ? before : undefined;
      await Promise.all(push.tags.map((tag) => this.#tags.set(repository, tag, target, expected)));
      // The collector condemns a link, looks for manifests, then deletes it by compare-and-swap: it either saw this
      // manifest, or this look sees what it did.
      const missing = await this.#checkNeeds(repository, content).catch(async (error) => {
        await this.#withdraw(repository, target, push.tags);
        throw error;
      });
      if ((await this.#find(repository, digest))?.version !== version) continue;
      await this.#store.settle([
        manifestKey(repository, digest),
        catalogKey(repository),
        ...(subject === undefined ? [] : [referrerKey(repository, subject, digest)]),
        ...push.tags.flatMap((tag) => [taggedKey(repository, digest, tag), tagKey(repository, tag)]),
      ]);
      return { digest, subject, missing };
    }
  }

  /** Of a push that is refused after all: a deletion may have looked for its tags before they were set. */
  async #withdraw(repository: string, target: { digest: Digest; version: number }, tags: readonly string[]) {
    if ((await this.#find(repository, target.digest))?.version === target.version) return;
    await Promise.all(tags.map((tag) => this.#tags.withdraw(repository, tag, target)));
  }

  /**
   * Deletes a manifest, the tags that point at it, and its referrer entry.
   *
   * @throws RegistryError `MANIFEST_UNKNOWN`, `CONDITION_FAILED`
   */
  delete(repository: string, digest: Digest, condition?: Condition): Promise<void> {
    return this.#changes.during(repository, (noted) => this.#delete(repository, digest, noted, condition));
  }

  async #delete(repository: string, digest: Digest, noted: Promise<void>, condition?: Condition): Promise<void> {
    await noted;
    const key = manifestKey(repository, digest);
    for (;;) {
      const stored = await this.#store.get(key);
      const old = stored === undefined ? undefined : parseManifestRecord(stored, key);
      if (stored === undefined || old === undefined || isTombstone(old)) {
        // A deletion that was interrupted is finished all the same.
        if (old !== undefined) await this.#deleteEntries(repository, digest, old);
        throw new RegistryError('MANIFEST_UNKNOWN', `${repository} has no manifest ${digest}`);
      }
      if (condition?.(digest) === false) throw conditionFailed(repository, digest);
      const tombstone = { version: this.#nextVersion(old.version), deleted: true as const, subject: old.subject };
      const unchanged = { condition: { ifMatch: stored.token } };
      if ((await this.#store.put(key, encodeTombstone(tombstone), unchanged)) === undefined) continue;
      await this.#deleteEntries(repository, digest, tombstone);
      return;
    }
  }

  /** Deletes a tag only. @throws RegistryError `MANIFEST_UNKNOWN`, `CONDITION_FAILED` */
  async untag(repository: string, tag: string, condition?: Condition): Promise<void> {
    const deleted = await this.#changes.during(repository, async (noted) => {
      await noted;
      return this.#tags.delete(repository, tag, condition);
    });
    if (!deleted) throw tagUnknown(repository, tag);
  }

  /**
   * @returns what the tags, where a push with a condition is by tag, have to say still when they are set; undefined
   *   where that does not matter
   * @throws RegistryError `CONDITION_FAILED`
   */
  async #checkCondition(
    repository: string,
    digest: Digest,
    { condition, digest: byDigest, tags }: ManifestPush,
  ): Promise<{ tag: TagRecord | undefined } | undefined> {
    if (condition === undefined) return undefined;
    if (byDigest !== undefined) {
      const there = (await this.#find(repository, digest)) !== undefined;
      if (!condition(there ? digest : undefined)) throw conditionFailed(repository, digest);
      return undefined;
    }
    const [name = ''] = tags;
    const tag = await this.#tags.find(repository, name);
    const target = tag === undefined ? undefined : await this.#find(repository, tag.digest);
    // One that points at a version which is gone is no tag to anybody.
    if (!condition(target?.version === tag?.version ? tag?.digest : undefined)) throw conditionFailed(repository, name);
    return { tag };
  }

  async #find(repository: string, digest: Digest): Promise<ManifestRecord | undefined> {
    const key = manifestKey(repository, digest);
    const stored = await this.#store.get(key);
    if (stored === undefined) return undefined;
    const record = parseManifestRecord(stored, key);
    return isTombstone(record) ? undefined : record;
  }

  async #write(repository: string, digest: Digest, content: ManifestContent, bytes: Uint8Array): Promise<number> {
    const key = manifestKey(repository, digest);
    for (;;) {
      const stored = await this.#store.get(key);
      const old = stored === undefined ? undefined : parseManifestRecord(stored, key);
      const alive = old !== undefined && !isTombstone(old);
      if (alive && old.mediaType === content.mediaType) return old.version;
      const version = alive ? old.version : this.#nextVersion(old?.version ?? 0);
      const record = encodeManifest({
        version,
        mediaType: content.mediaType,
        size: bytes.length,
        subject: content.subject,
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      });
      const condition = stored === undefined ? 'absent' : { ifMatch: stored.token };
      if ((await this.#store.put(key, record, { condition })) !== undefined) return version;
    }
  }

  #nextVersion(before: number): number {
    return Math.max(before + 1, this.#surroundings.now());
  }

  async #deleteEntries(
    repository: string,
    digest: Digest,
    tombstone: { version: number; subject?: Digest | undefined },
  ) {
    await this.#tags.deleteOf(repository, digest, tombstone.version);
    if (tombstone.subject !== undefined) {
      await this.#referrers.delete(repository, tombstone.subject, digest, tombstone.version);
    }
  }

  /** @returns what is missing and need not be there. @throws RegistryError `MANIFEST_BLOB_UNKNOWN`, `MANIFEST_INVALID` */
  async #checkNeeds(repository: string, content: ManifestContent): Promise<Digest[]> {
    const { needs } = content;
    const missing: Digest[] = [];
    for (let at = 0; at < needs.length; at += CHECKED_AT_ONCE) {
      const some = needs.slice(at, at + CHECKED_AT_ONCE);
      const held = await Promise.all(some.map((need) => this.#holds(repository, need)));
      missing.push(...some.filter(({ optional }, at) => !held[at] && !optional).map(({ digest }) => digest));
    }
    if (missing.length > 0 && !this.#options.sparse) throw new MissingContent(repository, missing);
    return missing;
  }

  async #holds(repository: string, need: Need): Promise<boolean> {
    const size = await this.#sizeOf(repository, need);
    if (size !== undefined && size !== need.size) throw wrongSize(need, size);
    return size !== undefined;
  }

  async #sizeOf(repository: string, { digest, kind }: Need): Promise<number | undefined> {
    const manifest = kind === 'blob' ? undefined : await this.#find(repository, digest);
    if (manifest !== undefined) return manifest.bytes.length;
    return kind === 'manifest' ? undefined : (await this.#blobs.relyOn(repository, digest))?.size;
  }

  /** The subject of a manifest need not be there; where it is, clients compare its size, too. */
  async #checkSubject(repository: string, { document }: ManifestContent): Promise<void> {
    const { subject } = document.value;
    const found = subject === undefined ? undefined : await this.#find(repository, subject.digest);
    if (subject === undefined || found === undefined || found.bytes.length === subject.size) return;
    throw wrongSize(subject, found.bytes.length);
  }
}

/** A client that pulls compares: every pull of such an image would fail. */
function wrongSize({ digest, size }: { digest: Digest; size: number }, actual: number): RegistryError {
  return new RegistryError(
    'MANIFEST_INVALID',
    `the manifest says that ${digest} has ${size} bytes, but the repository holds it with ${actual} bytes`,
  );
}

/** Names what is missing, so that a client knows what to push. */
export class MissingContent extends RegistryError {
  readonly digests: readonly Digest[];

  constructor(repository: string, digests: readonly Digest[]) {
    const more = digests.length > 1 ? ` and ${digests.length - 1} more` : '';
    super('MANIFEST_BLOB_UNKNOWN', `${repository} does not hold ${digests[0]}${more}, which the manifest names`, {
      hint: 'push blobs and child manifests first, or mount them',
    });
    this.digests = digests;
  }
}
