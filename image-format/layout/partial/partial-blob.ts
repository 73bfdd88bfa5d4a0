// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { chmod, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Digest, digestAlgorithm } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import { BlockWriter } from './block-writer.ts';
import { BLOCK_SIZE, Journal } from './journal.ts';

/** Bytes from `start` to before `end`. */
export interface Gap {
  start: number;
  end: number;
}

/** How much is read at once to be hashed, in blocks. */
const READ_BLOCKS = 4;
/** What a loss of power may cost at most is written to the disk this often. */
const SYNC_MS = 2_000;

/**
 * A blob that is being received, in any order, and that may have been begun by a process that is gone. Its owner alone
 * has it open. The digest is computed of what stands in the file, so a block that was damaged is never given a name.
 */
export class PartialBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Bytes that were there when it was opened. */
  readonly resumed: number;
  readonly #file: FileHandle;
  readonly #journal: Journal;
  readonly #present: Set<number>;
  #hash: Hash;
  /** The first block that is not hashed yet. */
  #next = 0;
  #hashing: Promise<void> | undefined;
  #received: number;
  #synced = Date.now();
  #syncing: Promise<void> | undefined;

  private constructor(
    expected: { digest: Digest; size: number },
    file: FileHandle,
    journal: Journal,
    present: Set<number>,
  ) {
    this.digest = expected.digest;
    this.size = expected.size;
    this.#file = file;
    this.#journal = journal;
    this.#present = present;
    this.#hash = createHash(digestAlgorithm(expected.digest));
    this.#received = [...present].reduce((sum, block) => sum + this.#lengthOf(block), 0);
    this.resumed = this.#received;
  }

  /** @param folder of this blob alone; it belongs to the caller */
  static async open(folder: string, expected: { digest: Digest; size: number }): Promise<PartialBlob> {
    const { journal, blocks } = await Journal.open(join(folder, 'journal'), expected.size);
    let file: FileHandle | undefined;
    try {
      const path = dataFile(folder);
      // It is closed to writing when it is whole, which may have been the last thing that its owner did.
      await chmod(path, 0o600).catch(() => {});
      file = await open(path, 'r+').catch(() => open(path, 'wx+', 0o600));
      const present = await checkBlocks(file, blocks, expected.size);
      return new PartialBlob(expected, file, journal, present);
    } catch (error) {
      await file?.close();
      await journal.close();
      throw error;
    }
  }

  /** Bytes so far, those of unfinished blocks included. */
  get received(): number {
    return this.#received;
  }

  /** What is missing, in pieces of at most `most` bytes that begin at a block. */
  gaps(most: number): Gap[] {
    const gaps: Gap[] = [];
    for (let block = 0; block * BLOCK_SIZE < this.size; block++) {
      if (this.#present.has(block)) continue;
      const start = block * BLOCK_SIZE;
      const end = start + this.#lengthOf(block);
      const last = gaps.at(-1);
      if (last?.end === start && end - last.start <= most) last.end = end;
      else gaps.push({ start, end });
    }
    return gaps;
  }

  /** Takes bytes in order from `start` on, which must be the start of a block. Blocks that are there are left alone. */
  writer(start: number): BlockWriter {
    return new BlockWriter(start, this.size, {
      isPresent: (block) => this.#present.has(block),
      write: async (bytes, position) => {
        for (let rest = bytes; rest.length > 0; ) {
          const { bytesWritten } = await this.#file.write(rest, 0, rest.length, position + bytes.length - rest.length);
          rest = rest.subarray(bytesWritten);
        }
        this.#received += bytes.length;
      },
      blockDone: async (block, checksum) => {
        if (this.#present.has(block)) {
          // Somebody else was faster with the same block.
          this.#received -= this.#lengthOf(block);
          return;
        }
        await this.#journal.append(block, checksum);
        this.#present.add(block);
        this.#startHashing();
        this.#startSync();
      },
      // Bytes of an unfinished block that come again are not counted twice.
      forgotten: (bytes) => {
        this.#received -= bytes;
      },
    });
  }

  /**
   * Compares the digest of the whole file, and syncs it.
   *
   * @throws ImageError `DIGEST_MISMATCH`, `SIZE_MISMATCH`
   */
  async verify(): Promise<void> {
    if (this.gaps(this.size).length > 0) {
      throw new ImageError('SIZE_MISMATCH', `of ${this.digest} there are ${this.#received} of ${this.size} bytes`);
    }
    while (this.#next * BLOCK_SIZE < this.size) {
      this.#startHashing();
      await this.#hashing;
    }
    const found = `${digestAlgorithm(this.digest)}:${this.#hash.copy().digest('hex')}`;
    if (found !== this.digest) {
      throw new ImageError('DIGEST_MISMATCH', `the content has the digest ${found}, not ${this.digest}`);
    }
    // What an earlier owner may have left behind the end is not part of it.
    await this.#file.truncate(this.size);
    // It may have been received long ago; a collection counts from now.
    await this.#file.utimes(new Date(), new Date());
    await this.#file.sync();
    await this.#file.chmod(0o444);
  }

  /** Forgets everything that was received. */
  async wipe(): Promise<void> {
    await this.#hashing;
    this.#present.clear();
    await this.#journal.clear(this.size);
    this.#hash = createHash(digestAlgorithm(this.digest));
    this.#next = 0;
    this.#received = 0;
  }

  async close(): Promise<void> {
    await this.#hashing?.catch(() => {});
    await this.#syncing;
    await this.#file.close();
    await this.#journal.close();
  }

  #lengthOf(block: number): number {
    return Math.min(BLOCK_SIZE, this.size - block * BLOCK_SIZE);
  }

  /** Hashes what is there without a gap from the start on, as it grows. */
  #startHashing(): void {
    this.#hashing ??= this.#hashAhead().finally(() => {
      this.#hashing = undefined;
    });
    // Whoever waits for it gets the error; nobody may be waiting.
    this.#hashing.catch(() => {});
  }

  async #hashAhead(): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BLOCKS * BLOCK_SIZE);
    while (this.#present.has(this.#next)) {
      let length = 0;
      let block = this.#next;
      for (; block < this.#next + READ_BLOCKS && this.#present.has(block); block++) length += this.#lengthOf(block);
      await readExactly(this.#file, buffer.subarray(0, length), this.#next * BLOCK_SIZE);
      this.#hash.update(buffer.subarray(0, length));
      this.#next = block;
    }
  }

  #startSync(): void {
    if (this.#syncing !== undefined || Date.now() - this.#synced < SYNC_MS) return;
    this.#syncing = this.#file
      .datasync()
      // A disk that cannot be written says so when the blob is finished.
      .catch(() => {})
      .finally(() => {
        this.#synced = Date.now();
        this.#syncing = undefined;
      });
  }
}

/** Where the bytes of a partial blob stand in its folder. */
export function dataFile(folder: string): string {
  return join(folder, 'data');
}

/** The blocks whose content is what the journal says. */
async function checkBlocks(file: FileHandle, blocks: ReadonlyMap<number, number>, size: number): Promise<Set<number>> {
  const buffer = Buffer.allocUnsafe(BLOCK_SIZE);
  const present = new Set<number>();
  for (const [block, checksum] of blocks) {
    const bytes = buffer.subarray(0, Math.min(BLOCK_SIZE, size - block * BLOCK_SIZE));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, block * BLOCK_SIZE);
    if (bytesRead === bytes.length && crc32(bytes) === checksum) present.add(block);
  }
  return present;
}

async function readExactly(file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new ImageError('STORE_IO', 'a partial blob was cut while it was read');
    at += bytesRead;
  }
}
