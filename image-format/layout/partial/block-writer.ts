// SPDX-License-Identifier: Apache-2.0
import { BLOCK_SIZE } from './journal.ts';

/** What a writer does to its partial blob. */
export interface BlockTarget {
  isPresent(block: number): boolean;
  /** Writes a whole block, and records it. */
  writeBlock(block: number, pieces: readonly Buffer[]): Promise<void>;
  /** Bytes of a block that is not complete. */
  gathered(bytes: number): void;
  forgotten(bytes: number): void;
}

/** Takes bytes that come in order, and writes each block when it is complete: half a block would not be kept anyway. */
export class BlockWriter {
  readonly #target: BlockTarget;
  readonly #size: number;
  #position: number;
  /** The current block, as far as it has come. */
  #pieces: Buffer[] = [];
  #gathered = 0;

  constructor(start: number, size: number, target: BlockTarget) {
    this.#position = start;
    this.#size = size;
    this.#target = target;
  }

  /** Where the next byte belongs. */
  get position(): number {
    return this.#position;
  }

  /** Bytes must not reach beyond the blob's size; the caller has checked that. They must not be changed afterwards. */
  async write(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const block = Math.floor(this.#position / BLOCK_SIZE);
      const end = Math.min((block + 1) * BLOCK_SIZE, this.#size);
      const piece = rest.subarray(0, end - this.#position);
      rest = rest.subarray(piece.length);
      const skipped = this.#gathered === 0 && this.#target.isPresent(block);
      if (!skipped) {
        this.#pieces.push(piece);
        this.#gathered += piece.length;
        this.#target.gathered(piece.length);
      }
      this.#position += piece.length;
      if (this.#position < end) continue;
      const pieces = this.#pieces;
      this.#pieces = [];
      this.#gathered = 0;
      if (!skipped) await this.#target.writeBlock(block, pieces);
    }
  }

  /** Gives the unfinished block up. */
  abandon(): void {
    this.#target.forgotten(this.#gathered);
    this.#pieces = [];
    this.#gathered = 0;
  }
}
