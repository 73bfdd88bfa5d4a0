// SPDX-License-Identifier: Apache-2.0

/** Reads exact numbers of bytes from a stream of chunks of any size. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #truncated: () => Error;
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;

  /** @param truncated makes the error for a stream that ends too early */
  constructor(source: AsyncIterable<Uint8Array>, truncated: () => Error) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#truncated = truncated;
  }

  /** Bytes that were taken so far. */
  get position(): number {
    return this.#position;
  }

  async atEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Exactly `size` bytes in one piece; small amounts only. */
  async read(size: number): Promise<Buffer> {
    if (this.#buffer.length >= size) return this.#take(size);
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces(size)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Exactly `size` bytes in pieces as they come. */
  async *pieces(size: number): AsyncGenerator<Buffer, void, undefined> {
    let rest = size;
    while (rest > 0) {
      if (!(await this.#fill())) throw this.#truncated();
      const piece = this.#take(Math.min(rest, this.#buffer.length));
      rest -= piece.length;
      yield piece;
    }
  }

  async skip(size: number): Promise<void> {
    for (let rest = size; rest > 0; ) {
      if (this.#buffer.length === 0 && !(await this.#fill())) throw this.#truncated();
      rest -= this.#take(Math.min(rest, this.#buffer.length)).length;
    }
  }

  /** Skips all that is left. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#take(this.#buffer.length);
  }

  /** Lets go of the source before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #take(size: number): Buffer {
    const piece = this.#buffer.subarray(0, size);
    this.#buffer = this.#buffer.subarray(size);
    this.#position += size;
    return piece;
  }

  async #fill(): Promise<boolean> {
    while (this.#buffer.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      const { value } = next;
      this.#buffer = Buffer.from(value.buffer, value.byteOffset, value.length);
    }
    return true;
  }
}
