// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestAlgorithm, digestHex, ImageError } from '../../image-format/index.ts';

const BLOCK = 512;

/** So much is written before the disk is asked to take it. */
const SYNC_EVERY = 64 * 1024 ** 2;

/**
 * Writes a layer's tar archive as it streams by, and hashes it. One piece is being written while the next is
 * unpacked and hashed.
 */
export class TarFile {
  readonly #file: FileHandle;
  readonly #hash: Hash;
  readonly #diffId: Digest;
  #writing: Promise<unknown> = Promise.resolve();
  /** Set while the disk takes what was written so far. */
  #syncing: Promise<void> | undefined;
  #synced = 0;
  #size = 0;

  private constructor(file: FileHandle, diffId: Digest) {
    this.#file = file;
    this.#diffId = diffId;
    this.#hash = createHash(digestAlgorithm(diffId));
  }

  /** @param path of a file that does not exist yet */
  static async create(path: string, diffId: Digest): Promise<TarFile> {
    return new TarFile(await open(path, 'wx', 0o600), diffId);
  }

  /** Passes the archive on, unchanged. */
  async *copy(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of chunks) {
      await this.#append(chunk);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /**
   * Checks the digest and fills the file up to whole blocks.
   *
   * @returns the file's bytes, a multiple of 512
   * @throws ImageError `DIGEST_MISMATCH`
   */
  async finish(): Promise<number> {
    const found = this.#hash.digest('hex');
    if (found !== digestHex(this.#diffId)) {
      const algorithm = digestAlgorithm(this.#diffId);
      throw new ImageError(
        'DIGEST_MISMATCH',
        `the layer unpacks to ${algorithm}:${found}, but the image's config says ${this.#diffId}`,
      );
    }
    await this.#append(Buffer.alloc((BLOCK - (this.#size % BLOCK)) % BLOCK));
    await this.#writing;
    await this.#syncing;
    return this.#size;
  }

  async close(): Promise<void> {
    // Its failure was thrown already, or something else was before it.
    await this.#writing.catch(() => {});
    await this.#syncing?.catch(() => {});
    await this.#file.close();
  }

  async #append(chunk: Buffer): Promise<void> {
    await this.#writing;
    const at = this.#size;
    this.#size += chunk.length;
    this.#writing = writeAll(this.#file, chunk, at);
    // Whoever waits for it gets the error; nobody may be waiting yet.
    this.#writing.catch(() => {});
    if (this.#size - this.#synced >= SYNC_EVERY && this.#syncing === undefined) this.#sync();
  }

  /** Beside the work that goes on: else all of a large layer would have to be waited for at the end. */
  #sync(): void {
    this.#synced = this.#size;
    this.#syncing = this.#file.datasync().then(() => {
      this.#syncing = undefined;
    });
    this.#syncing.catch(() => {});
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
