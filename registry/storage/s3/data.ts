// SPDX-License-Identifier: Apache-2.0
import type { AppendOptions, DataState, UnfinishedData } from '../contract.ts';
import type { Bucket } from './bucket.ts';
import { dataUnknown, partsOf, readState, type S3DataState, type Tail } from './data-state.ts';
import { isFailure, orUndefined, storage } from './failures.ts';
import type { Layout } from './layout.ts';
import { isOtherParts, type Multipart, type Part, tagOfParts } from './multipart.ts';
import { LEAST_PART } from './options.ts';
import { type PartSizes, PartWriter } from './part-writer.ts';
import { Seals } from './seals.ts';

/**
 * Unfinished data of the S3 driver: parts of a multipart upload under the data's own key, and a tail. An upload is begun
 * when there is more than a part, so small data is one PutObject, or, where its end was not known, a tail that is copied.
 */
export class DataWriter {
  readonly #bucket: Bucket;
  readonly #multipart: Multipart;
  readonly #layout: Layout;
  readonly #sizes: PartSizes;
  readonly #seals: Seals;
  /** Ends of data that is about to be completed, by the state that names it. */
  readonly #rests = new WeakMap<DataState, Buffer>();

  constructor(bucket: Bucket, multipart: Multipart, layout: Layout, sizes: PartSizes) {
    this.#bucket = bucket;
    this.#multipart = multipart;
    this.#layout = layout;
    this.#sizes = sizes;
    this.#seals = new Seals(bucket, multipart, layout);
  }

  begin(key: string): DataState {
    this.#layout.object(key);
    return { key, size: 0 };
  }

  append(given: DataState, source: AsyncIterable<Uint8Array>, options: AppendOptions = {}): Promise<DataState> {
    const state = readState(given);
    const path = this.#layout.object(state.key);
    return storage(`append to ${state.key}`, async () => {
      if (state.inMemory !== undefined) throw dataUnknown(state.key, 'it was to be completed');
      const writer = new PartWriter(this.#multipart, path, this.#sizes, state);
      try {
        let size = state.size;
        for await (const chunk of source) {
          if (chunk.length === 0) continue;
          if (size === state.size && state.tail !== undefined) await writer.write(await this.#read(state, state.tail));
          await writer.write(chunk);
          size += chunk.length;
        }
        if (size === state.size) return state;
        return await this.#stateAfter(state, size, writer, options.completes?.() ?? false);
      } catch (error) {
        const upload = await writer.settle();
        const isOurs = upload !== undefined && state.upload === undefined;
        if (isOurs) await this.#multipart.abort(path, upload).catch(() => undefined);
        throw isFailure(error, 'absent')
          ? dataUnknown(state.key, 'it was finished, given up, or taken over', error)
          : error;
      }
    });
  }

  complete(given: DataState): Promise<void> {
    const state = readState(given);
    const path = this.#layout.object(state.key);
    return storage(`complete ${state.key}`, async () => {
      const rest = this.#rests.get(given);
      if (state.inMemory !== undefined && rest === undefined) throw dataUnknown(state.key, 'its end was never stored');
      try {
        if (state.upload === undefined) await this.#completeSmall(state, path, rest);
        else await this.#completeParts({ ...state, upload: state.upload }, path, rest);
      } catch (error) {
        if (!isFailure(error, 'absent')) throw error;
        throw dataUnknown(state.key, 'it was finished, given up, or taken over', error);
      }
      this.#rests.delete(given);
      await this.#remove([...(state.stale ?? []), ...(state.tail === undefined ? [] : [state.tail.path])]);
    });
  }

  takeOver(given: DataState, freshKey: string): Promise<DataState> {
    const state = readState(given);
    return storage(`take over ${state.key}`, async () => {
      try {
        return await this.#seals.takeOver(state, freshKey);
      } catch (error) {
        if (!isFailure(error, 'absent')) throw error;
        throw dataUnknown(state.key, 'it was finished, given up, or taken over', error);
      }
    });
  }

  /** Whatever there is under the key, also of appends that no state tells of. */
  abort(given: DataState): Promise<void> {
    const state = readState(given);
    const path = this.#layout.object(state.key);
    return storage(`abort ${state.key}`, async () => {
      this.#rests.delete(given);
      const uploads = async () => {
        let found = false;
        for await (const upload of this.#multipart.list(path)) {
          if (upload.path !== path) continue;
          found ||= upload.id === state.upload;
          await orUndefined(this.#multipart.abort(path, upload.id));
        }
        if (state.upload !== undefined && !found) await this.#seals.remove(state);
      };
      const tails = async () => {
        const folder = this.#layout.tailsOf(state.key);
        for (let more = true; more; ) {
          const page = await this.#bucket.list(folder, undefined, 1000);
          await Promise.all(page.entries.map((entry) => this.#bucket.delete(entry.path)));
          more = page.more;
        }
      };
      await Promise.all([uploads(), tails(), this.#remove(state.stale ?? [])]);
    });
  }

  async *unfinished(): AsyncGenerator<UnfinishedData> {
    const touched = new Map<string, number>();
    const note = (key: string, time: number) => touched.set(key, Math.max(time, touched.get(key) ?? 0));
    await storage('list unfinished data', async () => {
      for await (const { path, begun } of this.#multipart.list(this.#layout.objects)) {
        note(path.slice(this.#layout.objects.length), begun);
      }
      for (let after: string | undefined, more = true; more; ) {
        const page: Awaited<ReturnType<Bucket['list']>> = await this.#bucket.list(this.#layout.tails, after, 1000);
        for (const { path, modified } of page.entries) {
          note(path.slice(this.#layout.tails.length, path.lastIndexOf('/')), modified);
        }
        after = page.entries.at(-1)?.path;
        more = page.more;
      }
    });
    for (const [key, time] of touched) yield { state: { key, size: 0 }, touched: time };
  }

  async #stateAfter(state: S3DataState, size: number, writer: PartWriter, completes: boolean): Promise<DataState> {
    const { key, tail: old } = state;
    const stale = old === undefined ? {} : { stale: [old.path] };
    const clean = this.#remove(state.stale ?? []);
    if (completes) {
      const rest = Buffer.concat(writer.rest.chunks, writer.rest.bytes);
      // Its tail and everything stale go when it is complete.
      const after = { key, size, ...(await writer.finish()), inMemory: rest.length, ...stale };
      this.#rests.set(after, rest);
      await clean;
      return after;
    }
    // In an upload what is long enough for a part becomes one, and need not be read and sent again.
    if (writer.isMultipart && writer.rest.bytes >= LEAST_PART) await writer.send();
    const [parts, tail] = await Promise.all([writer.finish(), this.#storeTail(key, writer), clean]);
    return { key, size, ...parts, ...(tail === undefined ? {} : { tail }), ...stale };
  }

  async #storeTail(key: string, writer: PartWriter): Promise<Tail | undefined> {
    const { chunks, bytes } = writer.rest;
    if (bytes === 0) return undefined;
    const path = this.#layout.newTail(key);
    return { path, size: bytes, etag: await this.#bucket.put(path, Buffer.concat(chunks, bytes)) };
  }

  async #completeSmall(state: S3DataState, path: string, rest: Buffer | undefined): Promise<void> {
    if (rest !== undefined || state.size === 0) {
      await this.#bucket.put(path, rest ?? Buffer.alloc(0));
    } else if (state.tail?.size === state.size) {
      const etag = await this.#bucket.copy(state.tail.path, path, state.size);
      if (etag === state.tail.etag || !this.#bucket.hasMd5Tags) return;
      await this.#bucket.delete(path);
      throw dataUnknown(state.key, 'the store copied other bytes than it was given');
    } else {
      throw dataUnknown(state.key, 'its state is not whole');
    }
  }

  async #completeParts(state: S3DataState & { upload: string }, path: string, rest: Buffer | undefined): Promise<void> {
    try {
      await this.#completeUpload(state, path, state.upload, partsOf(state), rest);
    } catch (error) {
      if (!isOtherParts(error)) throw error;
      // An append that broke off left parts, and this store wants all parts or none.
      const moved = await this.#seals.moveParts(state, state.upload, state.key, 'completed');
      await this.#completeUpload(state, path, moved.upload, partsOf({ ...state, ...moved }), rest);
    }
  }

  async #completeUpload(
    { size, tail }: S3DataState,
    path: string,
    upload: string,
    parts: Part[],
    rest: Buffer | undefined,
  ): Promise<void> {
    const number = parts.length + 1;
    if (rest !== undefined) parts.push({ number, etag: await this.#multipart.put(path, upload, number, rest) });
    else if (tail !== undefined) {
      const whole = { start: 0, end: tail.size - 1 };
      parts.push({ number, etag: await this.#multipart.copy(path, upload, number, tail.path, whole) });
    }
    try {
      await this.#multipart.complete(path, upload, parts);
    } catch (error) {
      // The answer of a completion was lost, and the upload is gone: was it that one?
      if (!isFailure(error, 'absent') || !error.uncertain || !(await this.#isComplete(path, size, parts))) throw error;
    }
  }

  async #isComplete(path: string, size: number, parts: readonly Part[]): Promise<boolean> {
    const found = await orUndefined(this.#bucket.head(path));
    return found?.size === size && (!this.#bucket.hasMd5Tags || found.etag === tagOfParts(parts));
  }

  async #read(state: S3DataState, tail: Tail): Promise<Buffer> {
    const found = await orUndefined(this.#bucket.get(tail.path));
    if (found?.bytes.length === tail.size && found.etag === tail.etag) return found.bytes;
    throw dataUnknown(state.key, 'its end is gone');
  }

  /** What stays behind all the same is found as unfinished data, and given back then. */
  async #remove(paths: readonly string[]): Promise<void> {
    await Promise.allSettled(paths.map((path) => this.#bucket.delete(path)));
  }
}
