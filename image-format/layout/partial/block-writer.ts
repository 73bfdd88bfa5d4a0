// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { BLOCK_SIZE } from './journal.ts';

/** What a writer does to its partial blob. */
export interface BlockTarget {
  isPresent(block: number): boolean;
  write(bytes: Buffer, position: number): Promise<void>;
  blockDone(block: number, checksum: number): Promise<void>;
  forgotten(bytes: number): void;
}

/** Writes bytes that come in order, and says so whenever a block is complete. */
export class BlockWriter {
  readonly #target: BlockTarget;
  readonly #size: number;
  #position: number;
  #checksum = 0;
  /** Bytes of the current block that were written. */
  #written = 0;

  constructor(start: number, size: number, target: BlockTarget) {
    this.#position = start;
    this.#size = size;
    this.#target = target;
  }

  /** Where the next byte belongs. */
  get position(): number {
    return this.#position;
  }

  /** Bytes must not reach beyond the blob's size; the caller has checked that. */
  async write(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const block = Math.floor(this.#position / BLOCK_SIZE);
      const end = Math.min((block + 1) * BLOCK_SIZE, this.#size);
      const piece = rest.subarray(0, end - this.#position);
      rest = rest.subarray(piece.length);
      const skipped = this.#written === 0 && this.#target.isPresent(block);
      if (!skipped) {
        await this.#target.write(piece, this.#position);
        this.#checksum = crc32(piece, this.#checksum);
        this.#written += piece.length;
      }
      this.#position += piece.length;
      if (this.#position < end) continue;
      if (!skipped) await this.#target.blockDone(block, this.#checksum);
      this.#checksum = 0;
      this.#written = 0;
    }
  }

  /** Gives the unfinished block up. */
  abandon(): void {
    this.#target.forgotten(this.#written);
    this.#written = 0;
  }
}
