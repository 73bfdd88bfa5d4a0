// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Bucket } from './bucket.ts';
import { dataUnknown, partsOf, type S3DataState, sizeOfParts, type Tail } from './data-state.ts';
import { isFailure, orUndefined } from './failures.ts';
import type { Layout } from './layout.ts';
import { MOST_PARTS, type Multipart } from './multipart.ts';

/** Bytes that the store copies in one request. */
const PIECE = 256 * 1024 * 1024;
const MOST_PIECES = 1000;
const PIECES_AT_ONCE = 4;

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
    const [tail, parts] = await Promise.all([this.#copyTail(state, freshKey), this.#moveParts(state, freshKey)]);
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
    if (state.upload === undefined || !(await this.#isSealed(state, state.upload))) return;
    await this.#bucket.delete(this.#layout.object(state.key));
  }

  async #copyTail(state: S3DataState, freshKey: string): Promise<Tail | undefined> {
    if (state.tail === undefined) return undefined;
    const { path, size, etag: before } = state.tail;
    const to = this.#layout.newTail(freshKey);
    const etag = await this.#bucket.copy(path, to, size);
    if (etag === before || !this.#bucket.hasMd5Tags) return { path: to, size, etag };
    throw dataUnknown(state.key, 'its end is not what was recorded');
  }

  async #moveParts(
    state: S3DataState,
    freshKey: string,
  ): Promise<Pick<Required<S3DataState>, 'upload' | 'parts'> | undefined> {
    if (state.upload === undefined) return undefined;
    await this.#seal(state, state.upload);
    const from = this.#layout.object(state.key);
    const to = this.#layout.object(freshKey);
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

  async #seal(state: S3DataState, upload: string): Promise<void> {
    const path = this.#layout.object(state.key);
    try {
      const etag = await this.#multipart.put(path, upload, MOST_PARTS, sealOf(upload));
      await this.#multipart.complete(path, upload, [...partsOf(state), { number: MOST_PARTS, etag }]);
    } catch (error) {
      // Perhaps it is sealed already: by an attempt whose answer was lost, or a take-over that came no further.
      if (!isFailure(error, 'absent') || !(await this.#isSealed(state, upload))) throw error;
    }
  }

  async #isSealed(state: S3DataState, upload: string): Promise<boolean> {
    const path = this.#layout.object(state.key);
    const seal = sealOf(upload);
    const start = sizeOfParts(state);
    const found = await orUndefined(this.#bucket.head(path));
    if (found?.size !== start + seal.length) return false;
    const end = await orUndefined(this.#bucket.open(path, { start, end: start + seal.length - 1 }, found.etag));
    return end !== undefined && (await buffer(end.body)).equals(seal);
  }
}

/** Nobody who writes a blob knows its upload's identifier, so no blob ends with this. */
function sealOf(upload: string): Buffer {
  return Buffer.from(createHash('sha512').update(`sealed ${upload}`).digest('hex'));
}

/** Ranges of nearly the same size: none but a single one is below what a part has to have. */
function cut(size: number): { start: number; end: number }[] {
  const count = Math.min(MOST_PIECES, Math.ceil(size / PIECE));
  return Array.from({ length: count }, (_, at) => ({
    start: Math.floor((size * at) / count),
    end: Math.floor((size * (at + 1)) / count) - 1,
  }));
}
