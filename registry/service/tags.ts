// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { ObjectStore, Token } from '../storage/contract.ts';
import type { NamePage } from './catalog.ts';
import { sortableTime, taggedKey, taggedPrefix, tagHistoryKey, tagKey, tagsPrefix } from './keys.ts';
import { encode, parseTag, parseTagged, type TagRecord } from './records.ts';
import type { Surroundings } from './surroundings.ts';

/** Tags, the markers that find them by manifest, and where they pointed before. */
export class Tags {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;

  constructor(store: ObjectStore, surroundings: Surroundings) {
    this.#store = store;
    this.#surroundings = surroundings;
  }

  /** What the tag says; whether that version of the manifest is still there is the caller's to check. */
  async find(repository: string, tag: string): Promise<TagRecord | undefined> {
    return (await this.#read(repository, tag))?.record;
  }

  /** Writes down that the tag may soon point at the manifest, so that deleting the manifest finds the tag. */
  async mark(repository: string, tag: string, target: TagRecord): Promise<void> {
    const marker = taggedKey(repository, target.digest, tag);
    const marked = await this.#store.get(marker);
    if (marked === undefined || parseTagged(marked, marker).version < target.version) {
      await this.#store.put(marker, encode({ version: target.version }));
    }
  }

  /**
   * Points a tag at a manifest; {@link mark} comes first.
   *
   * @param expected what the tag must say still, or undefined in it for no tag; left out: wherever it points
   * @throws RegistryError `CONDITION_FAILED`
   */
  async set(
    repository: string,
    tag: string,
    target: TagRecord,
    expected?: { tag: TagRecord | undefined },
  ): Promise<void> {
    for (;;) {
      const old = await this.#read(repository, tag);
      if (isSame(old?.record, target)) return;
      if (expected !== undefined && !isSame(old?.record, expected.tag)) throw conditionFailed(repository, tag);
      const condition = old === undefined ? 'absent' : { ifMatch: old.token };
      if ((await this.#store.put(tagKey(repository, tag), encode(target), { condition })) === undefined) continue;
      await this.#remember(repository, tag, target.digest, old?.record.digest);
      return;
    }
  }

  /**
   * Deletes the tag, its manifest stays.
   *
   * @returns whether there was one
   * @throws RegistryError `CONDITION_FAILED`
   */
  async delete(repository: string, tag: string, condition?: (current: Digest) => boolean): Promise<boolean> {
    for (;;) {
      const old = await this.#read(repository, tag);
      if (old === undefined) return false;
      if (condition?.(old.record.digest) === false) throw conditionFailed(repository, tag);
      if (!(await this.#store.delete(tagKey(repository, tag), { ifMatch: old.token }))) continue;
      await this.#remember(repository, tag, undefined, old.record.digest);
      return true;
    }
  }

  /** Deletes the tag where it still points at a version that is gone. */
  async withdraw(repository: string, tag: string, target: TagRecord): Promise<void> {
    const old = await this.#read(repository, tag);
    if (old === undefined || !isSame(old.record, target)) return;
    await this.#store.delete(tagKey(repository, tag), { ifMatch: old.token });
  }

  /** Deletes the tags, and their markers, that point at a manifest in a version before `version`. */
  async deleteOf(repository: string, digest: Digest, version: number): Promise<void> {
    const prefix = taggedPrefix(repository, digest);
    for (let after = ''; ; ) {
      const { keys, more } = await this.#store.list({ prefix, after, limit: 1000 });
      for (const key of keys) {
        after = key;
        const tag = key.slice(prefix.length);
        const old = await this.#read(repository, tag);
        if (old?.record.digest === digest && old.record.version < version) {
          await this.#store.delete(tagKey(repository, tag), { ifMatch: old.token });
        }
        const marker = await this.#store.get(key);
        if (marker !== undefined && parseTagged(marker, key).version < version) {
          await this.#store.delete(key, { ifMatch: marker.token });
        }
      }
      if (!more) return;
    }
  }

  /** @param after a tag, or any text that tags sort behind */
  async list(repository: string, limit: number, after?: string): Promise<NamePage> {
    const prefix = tagsPrefix(repository);
    const { keys, more } = await this.#store.list({
      prefix,
      ...(after === undefined ? {} : { after: prefix + after }),
      limit,
    });
    return { names: keys.map((key) => key.slice(prefix.length)), more };
  }

  async #read(repository: string, tag: string): Promise<{ record: TagRecord; token: Token } | undefined> {
    const key = tagKey(repository, tag);
    const stored = await this.#store.get(key);
    return stored === undefined
      ? undefined
      : {
          record: parseTag(stored, key),
          // Asked for only by writers; a getter, as tokens are computed.
          get token() {
            return stored.token;
          },
        };
  }

  async #remember(repository: string, tag: string, digest: Digest | undefined, previous: Digest | undefined) {
    const at = this.#surroundings.now();
    const time = `${sortableTime(at)}-${this.#surroundings.uniqueId()}`;
    await this.#store.put(tagHistoryKey(repository, tag, time), encode({ at, digest, previous }), { durable: false });
  }
}

function isSame(one: TagRecord | undefined, other: TagRecord | undefined): boolean {
  return one?.digest === other?.digest && one?.version === other?.version;
}

export function conditionFailed(repository: string, reference: string): RegistryError {
  return new RegistryError(
    'CONDITION_FAILED',
    `${reference} in ${repository} has changed: the condition of the request does not hold`,
    {
      hint: 'read it again, and decide anew',
    },
  );
}

export function tagUnknown(repository: string, tag: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', `${repository} has no tag ${tag}`);
}
