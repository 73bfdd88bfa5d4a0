// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bucket } from './bucket.ts';
import { dataUnknown, partsOf, type S3DataState, sizeOfParts, type Tail } from './data-state.ts';
import { isFailure, orUndefined } from './failures.ts';
import type { Layout } from './layout.ts';
import { isOtherParts, MOST_PARTS, type Multipart, type Part } from './multipart.ts';
import { LEAST_PART } from './options.ts';

/** Bytes that the store copies in one request. */
const PIECE = 256 * 1024 * 1024;
const MOST_PIECES = 1000;
const PIECES_AT_ONCE = 4;
/** How often a seal is tried while somebody else goes on putting parts. */
const ROUNDS = 20;
/** The same for an answer that says nothing about the upload; each round is several requests already. */
const ROUNDS_IN_TROUBLE = 4;

/** Who sealed: one that takes the data over, or its own writer on the way to complete it. Of the two one gets through. */
type Purpose = 'taken over' | 'completed';

/**
 * Takes data away from a writer that may still be alive, and shares with it nothing but the identifier of a multipart
 * upload: whoever has that can put parts, complete, or abort. Numbers of parts of one's own would keep the writer's parts
 * apart from ours, but not its completion.
 *
 * So the old upload is ended under its feet: it is completed, with one part more, which the old writer could not know (the
 * seal, under a number that nothing else uses). The store lets one completion through, and the object's last bytes say
 * which one it was. From then on every request of the old writer for that upload fails. What was sealed is copied by the
 * store itself into a new upload under a new key. That costs a copy, but only where a writer died in the middle of a
 * request (or a client came twice) after more than a part: a tail is copied in any case, and it is small.
 *
 * Parts that no state tells of, of appends that broke off, are in the way on stores that complete an upload with all of
 * its parts or not at all (Ceph). They go into the sealed object, behind what is recorded, and are not copied.
 *
 * Nothing is removed that the state before names until the caller made the new one valid; a sealed object is named by
 * nobody, and by then stale.
 */
export class Seals {
  readonly #bucket: Bucket;
  readonly #multipart: Multipart;
  readonly #layout: Layout;

  constructor(bucket: Bucket, multipart: Multipart, layout: Layout) {
    this.#bucket = bucket;
    this.#multipart = multipart;
    this.#layout = layout;
  }

  /** What is not there any more ends in a failure `absent`. */
  async takeOver(state: S3DataState, freshKey: string): Promise<S3DataState> {
    if (state.inMemory !== undefined) throw dataUnknown(state.key, 'its end was never stored');
    const [tail, parts] = await Promise.all([this.#copyTail(state, freshKey), this.#move(state, freshKey)]);
    const left = [
      ...(state.stale ?? []),
      ...(state.tail === undefined ? [] : [state.tail.path]),
      ...(parts === undefined ? [] : [this.#layout.object(state.key)]),
    ];
    return {
      key: freshKey,
      size: state.size,
      ...parts,
      ...(tail === undefined ? {} : { tail }),
      ...(left.length === 0 ? {} : { stale: left }),
    };
  }

  /** Removes what a take-over left that came no further. */
  async remove(state: S3DataState): Promise<void> {
    if (state.upload === undefined) return;
    const path = this.#layout.object(state.key);
    for (const purpose of ['taken over', 'completed'] as const) {
      if (await this.#isSealed(path, sealOf(state.upload, purpose))) return this.#bucket.delete(path);
    }
  }

  async #copyTail(state: S3DataState, freshKey: string): Promise<Tail | undefined> {
    if (state.tail === undefined) return undefined;
    const { path, size, etag: before } = state.tail;
    const to = this.#layout.newTail(freshKey);
    const etag = await this.#bucket.copy(path, to, size);
    if (etag === before || !this.#bucket.hasMd5Tags) return { path: to, size, etag };
    throw dataUnknown(state.key, 'its end is not what was recorded');
  }

  async #move(state: S3DataState, freshKey: string): Promise<MovedParts | undefined> {
    return state.upload === undefined ? undefined : this.moveParts(state, state.upload, freshKey, 'taken over');
  }

  /** Into a new upload, just those that are recorded. */
  async moveParts(state: S3DataState, old: string, key: string, purpose: Purpose): Promise<MovedParts> {
    await this.#seal(state, old, purpose);
    const from = this.#layout.object(state.key);
    const to = this.#layout.object(key);
    const upload = await this.#multipart.begin(to);
    try {
      const ranges = cut(sizeOfParts(state));
      const parts: string[] = [];
      for (let at = 0; at < ranges.length; at += PIECES_AT_ONCE) {
        const some = ranges.slice(at, at + PIECES_AT_ONCE);
        const copied = some.map((range, index) => this.#multipart.copy(to, upload, at + index + 1, from, range));
        parts.push(...(await Promise.all(copied)));
      }
      return { upload, parts };
    } catch (error) {
      await this.#multipart.abort(to, upload).catch(() => undefined);
      throw error;
    }
  }

  async #seal(state: S3DataState, upload: string, purpose: Purpose): Promise<void> {
    const path = this.#layout.object(state.key);
    const seal = sealOf(upload, purpose);
    let parts = partsOf(state);
    for (let round = 1; ; round += 1) {
      try {
        const etag = await this.#multipart.put(path, upload, MOST_PARTS, seal);
        return await this.#multipart.complete(path, upload, [...parts, { number: MOST_PARTS, etag }]);
      } catch (error) {
        if (isFailure(error, 'absent')) {
          // Perhaps it is sealed: by an attempt whose answer was lost, or a take-over that came no further.
          if (await this.#isSealed(path, seal)) return;
          throw error;
        }
        // Ceph answers an internal error while another completion of the upload is under way.
        const again = isOtherParts(error) ? round < ROUNDS : isFailure(error, 'passing') && round < ROUNDS_IN_TROUBLE;
        if (!again) throw error;
      }
      await wait(Math.random() * 20 * round);
      parts = await this.#allParts(state, upload);
    }
  }

  /** With those that nobody recorded, each made long enough to stand before another one. */
  async #allParts(state: S3DataState, upload: string): Promise<Part[]> {
    const path = this.#layout.object(state.key);
    const there = await this.#multipart.parts(path, upload);
    const recorded = partsOf(state);
    if (!recorded.every(({ number, etag }) => there.some((part) => part.number === number && part.etag === etag))) {
      throw dataUnknown(state.key, 'its parts are not those that were recorded');
    }
    const others = there.filter(({ number }) => number > recorded.length && number !== MOST_PARTS);
    const filled = others.map(async ({ number, etag, size }) => {
      if (size >= LEAST_PART) return { number, etag };
      return { number, etag: await this.#multipart.put(path, upload, number, Buffer.alloc(LEAST_PART)) };
    });
    return [...recorded, ...(await Promise.all(filled))];
  }

  async #isSealed(path: string, seal: Buffer): Promise<boolean> {
    const found = await orUndefined(this.#bucket.head(path));
    if (found === undefined || found.size < seal.length) return false;
    const last = { start: found.size - seal.length, end: found.size - 1 };
    const end = await orUndefined(this.#bucket.open(path, last, found.etag));
    return end !== undefined && (await buffer(end.body)).equals(seal);
  }
}

type MovedParts = Pick<Required<S3DataState>, 'upload' | 'parts'>;

/** Nobody who writes a blob knows its upload's identifier, so no blob ends with this. */
function sealOf(upload: string, purpose: Purpose): Buffer {
  return Buffer.from(createHash('sha512').update(`${purpose} ${upload}`).digest('hex'));
}

/** Ranges of nearly the same size: none but a single one is below what a part has to have. */
function cut(size: number): { start: number; end: number }[] {
  const count = Math.min(MOST_PIECES, Math.ceil(size / PIECE));
  return Array.from({ length: count }, (_, at) => ({
    start: Math.floor((size * at) / count),
    end: Math.floor((size * (at + 1)) / count) - 1,
  }));
}
