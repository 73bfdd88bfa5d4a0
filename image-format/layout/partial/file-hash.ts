// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { ImageError } from '../../errors.ts';

/** The digest of a file that grows, computed from its start on. */
export interface FileHash {
  /** Goes on with bytes of the file; calls follow one another. */
  update(start: number, end: number): Promise<void>;
  /** @returns the digest of all bytes so far, in hexadecimal; nothing may follow */
  digest(): Promise<string>;
  /** Nothing follows; called when no other call is under way. */
  abandon(): void;
}

const STEP = 1024 * 1024;

/** A hash that is computed in this thread. */
export class HashHere implements FileHash {
  readonly #file: FileHandle;
  readonly #hash: Hash;
  readonly #buffer = Buffer.allocUnsafe(STEP);

  constructor(file: FileHandle, algorithm: string) {
    this.#file = file;
    this.#hash = createHash(algorithm);
  }

  async update(start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, Math.min(STEP, end - at), at);
      if (bytesRead === 0) throw new ImageError('STORE_IO', 'a partial blob was cut while it was read');
      this.#hash.update(this.#buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  async digest(): Promise<string> {
    return this.#hash.digest('hex');
  }

  abandon(): void {}
}
