// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { ByteRange, DataReader } from '../contract.ts';
import type { Bucket, OpenBody } from './bucket.ts';
import { isFailure, S3Failure, storageError } from './failures.ts';

/** How often a body may break without a byte having come since the break before. */
const BREAKS_IN_A_ROW = 3;
/** How often in all, so that a store which cuts every connection after a few bytes is not asked for ever. */
const BREAKS = 200;

/**
 * Bytes of an object, as fast as they are taken: what is not taken waits in the socket. Where the connection breaks, the
 * rest is asked for, on condition that it still is the same object.
 */
export class ObjectReader implements DataReader {
  readonly size: number;
  readonly #bucket: Bucket;
  readonly #path: string;
  readonly #start: number;
  readonly #etag: string;
  readonly #idleMs: number;
  #body: Readable | undefined;

  /** @param idleMs how long the store may send nothing while somebody waits for it */
  constructor(bucket: Bucket, path: string, opened: OpenBody, range: ByteRange | undefined, idleMs: number) {
    this.#bucket = bucket;
    this.#path = path;
    this.#start = range?.start ?? 0;
    this.size = opened.size;
    this.#etag = opened.etag;
    this.#body = watched(opened.body);
    this.#idleMs = idleMs;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    let done = 0;
    let breaks = 0;
    let inARow = 0;
    try {
      while (done < this.size) {
        try {
          this.#body ??= await this.#reopen(done);
          for await (const chunk of this.#chunks(this.#body)) {
            // More than it promised would be another object's bytes.
            const wanted = chunk.length > this.size - done ? chunk.subarray(0, this.size - done) : chunk;
            done += wanted.length;
            inARow = 0;
            yield wanted;
            if (done >= this.size) return;
          }
          throw new S3Failure('passing', 'Cut', `the store sent ${done} of ${this.size} bytes`);
        } catch (error) {
          breaks += 1;
          inARow += 1;
          this.#drop();
          const final = isFailure(error, 'absent', 'condition', 'refused');
          if (final || breaks >= BREAKS || inARow >= BREAKS_IN_A_ROW) throw error;
        }
      }
    } catch (error) {
      const failure = error instanceof S3Failure ? error : new S3Failure('passing', 'Cut', String(error));
      throw storageError('read data', failure);
    } finally {
      this.#drop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop();
  }

  async #reopen(done: number): Promise<Readable> {
    const start = this.#start + done;
    const range = { start, end: this.#start + this.size - 1 };
    return watched((await this.#bucket.open(this.#path, range, this.#etag)).body);
  }

  /** Chunks of a body, each awaited for a limited time; the time that the consumer takes does not count. */
  async *#chunks(body: Readable): AsyncGenerator<Buffer, void, void> {
    const chunks = body.iterator({ destroyOnReturn: true }) as AsyncIterableIterator<Buffer>;
    let waiting = false;
    const timer = setTimeout(() => {
      if (waiting) body.destroy(new Error(`no byte came for ${this.#idleMs} ms`));
    }, this.#idleMs);
    try {
      for (;;) {
        waiting = true;
        timer.refresh();
        const { value, done } = await chunks.next();
        waiting = false;
        if (done) return;
        yield value;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(): void {
    this.#body?.destroy();
    this.#body = undefined;
  }
}

/** A body that breaks while nobody iterates it must not end the process. */
function watched(body: Readable): Readable {
  return body.on('error', () => undefined);
}
