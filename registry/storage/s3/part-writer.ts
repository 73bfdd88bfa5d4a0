// SPDX-License-Identifier: Apache-2.0
import type { ETag } from './bucket.ts';
import { S3Failure } from './failures.ts';
import { MOST_PARTS, type Multipart } from './multipart.ts';

/** How parts grow: so many of one size, then the size doubles, this many times. */
const STEPS = 8;
const DOUBLINGS = 5;

export interface PartSizes {
  /** Bytes of the first parts. */
  least: number;
  /** The most parts of an upload; the last number is kept free (see `take-over.ts`). */
  most: number;
}

export const mostParts = MOST_PARTS - 1;

/** Bytes of a part, by its number from 1 on. */
export function partSize(number: number, { least, most }: PartSizes): number {
  const step = Math.floor((number - 1) / Math.max(1, Math.ceil(most / STEPS)));
  return least * 2 ** Math.min(DOUBLINGS, step);
}

/**
 * Cuts what it is given into parts, and sends each while the next one gathers. A caller that is faster than the store
 * waits, so that no more than three parts are in memory, and two of those that have grown.
 *
 * The last bytes, at least one of them if there are any, stay behind as the rest: only the caller knows whether more
 * will follow, and a blob that fits into one part needs no multipart upload.
 */
export class PartWriter {
  readonly #multipart: Multipart;
  readonly #path: string;
  readonly #sizes: PartSizes;
  readonly #etags: Promise<ETag>[];
  #upload: Promise<string> | undefined;
  #gathered: Uint8Array[] = [];
  #bytes = 0;
  /** Parts under way, oldest first. */
  readonly #sending: Promise<ETag>[] = [];

  constructor(
    multipart: Multipart,
    path: string,
    sizes: PartSizes,
    before: { upload?: string; parts?: readonly ETag[] },
  ) {
    this.#multipart = multipart;
    this.#path = path;
    this.#sizes = sizes;
    this.#etags = (before.parts ?? []).map((etag) => Promise.resolve(etag));
    this.#upload = before.upload === undefined ? undefined : Promise.resolve(before.upload);
  }

  /** Whether there is an upload to put parts into. */
  get isMultipart(): boolean {
    return this.#upload !== undefined;
  }

  /** What was not sent yet. */
  get rest(): { chunks: readonly Uint8Array[]; bytes: number } {
    return { chunks: this.#gathered, bytes: this.#bytes };
  }

  async write(chunk: Uint8Array): Promise<void> {
    let left = chunk;
    while (left.length > 0) {
      const room = partSize(this.#etags.length + 1, this.#sizes) - this.#bytes;
      if (room === 0) {
        await this.send();
        continue;
      }
      const some = left.subarray(0, room);
      this.#gathered.push(some);
      this.#bytes += some.length;
      left = left.subarray(some.length);
    }
  }

  /** Sends what was gathered as a part. */
  async send(): Promise<void> {
    const number = this.#etags.length + 1;
    if (number > this.#sizes.most)
      throw new S3Failure('refused', 'TooManyParts', 'the data is larger than S3 can hold');
    const atOnce = this.#bytes > this.#sizes.least ? 1 : 2;
    while (this.#sending.length >= atOnce) await this.#sending.shift();
    const bytes = Buffer.concat(this.#gathered, this.#bytes);
    this.#gathered = [];
    this.#bytes = 0;
    this.#upload ??= this.#multipart.begin(this.#path);
    const upload = this.#upload;
    const sent = upload.then((id) => this.#multipart.put(this.#path, id, number, bytes));
    // Awaited before the next part or at the end; until then a failure is nobody's unhandled rejection.
    sent.catch(() => undefined);
    this.#etags.push(sent);
    this.#sending.push(sent);
  }

  /** When all parts arrived. */
  async finish(): Promise<{ upload?: string; parts?: ETag[] }> {
    if (this.#upload === undefined) return {};
    const [upload, parts] = await Promise.all([this.#upload, Promise.all(this.#etags)]);
    return { upload, parts };
  }

  /** When nothing is under way any more, well or not. @returns the upload's identifier, if there is one */
  async settle(): Promise<string | undefined> {
    await Promise.allSettled(this.#etags);
    return await this.#upload?.catch(() => undefined);
  }
}
