// SPDX-License-Identifier: Apache-2.0
import { close, read } from 'node:fs';
import type { ByteRange, DataReader } from '../contract.ts';
import { storageError } from './failures.ts';

/**
 * How much is read at once. Measured from warm files to sockets: 256 KiB is as fast as 1 MiB for large blobs and faster
 * for those of a few MiB (two of them stay in the processor's cache), and takes a quarter of the memory.
 */
const STEP = 256 * 1024;

/** Buffers that wait for the next reader: making and first touching one costs more than reading into it. */
const spare: Buffer[] = [];
const MOST_SPARE = 128;

/** Reads one step ahead of its consumer, into two buffers that take turns. */
export class FileReader implements DataReader {
  readonly size: number;
  readonly #file: number;
  readonly #start: number;
  readonly #what: string;
  #open = true;
  #ahead: Promise<unknown> | undefined;

  /** @param file an open file descriptor, which from now on is this reader's */
  constructor(file: number, range: ByteRange, what: string) {
    this.#file = file;
    this.#start = range.start;
    this.size = range.end - range.start + 1;
    this.#what = what;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    const buffers = [take(), take()];
    try {
      let done = 0;
      let turn = 0;
      let next = this.#read(buffers[turn] as Buffer, done);
      while (done < this.size) {
        const bytes = await next;
        // A file that gives less than it has: the consumer counts, and knows better than to take it for the end.
        if (bytes === 0) return;
        const chunk = (buffers[turn] as Buffer).subarray(0, bytes);
        done += bytes;
        turn = 1 - turn;
        if (done < this.size) next = this.#read(buffers[turn] as Buffer, done);
        yield chunk;
      }
    } finally {
      await this[Symbol.asyncDispose]();
      for (const buffer of buffers) if (spare.length < MOST_SPARE) spare.push(buffer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#ahead;
    await new Promise<void>((resolve) => close(this.#file, () => resolve()));
  }

  #read(into: Buffer, done: number): Promise<number> {
    const length = Math.min(STEP, this.size - done);
    const reading = new Promise<number>((resolve, reject) => {
      read(this.#file, into, 0, length, this.#start + done, (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(storageError(`read ${this.#what}`, error));
      });
    });
    // Before the file is closed and the buffer given away, the read into it must be over, well or not.
    this.#ahead = reading.catch(() => undefined);
    return reading;
  }
}

function take(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(STEP);
}
