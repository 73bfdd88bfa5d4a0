// SPDX-License-Identifier: Apache-2.0
import { chmod, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import { BlockWriter } from './block-writer.ts';
import { chooseHash } from './choose-hash.ts';
import type { FileHash } from './file-hash.ts';
import { BLOCK_SIZE, Journal } from './journal.ts';

/** Bytes from `start` to before `end`. */
export interface Gap {
  start: number;
  end: number;
}

/** How much is hashed in one go, in blocks. */
const HASH_BLOCKS = 16;
/** What a loss of power may cost is written to the disk after this time or amount, and as fast as the disk can. */
const SYNC_MS = 2_000;
const SYNC_BLOCKS = 16;

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
  #hash: FileHash;
  /** The first block that is not hashed yet. */
  #next = 0;
  #hashing: Promise<void> | undefined;
  #received: number;
  #synced = Date.now();
  /** Blocks that were written since. */
  #unsynced = 0;
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
    this.#hash = chooseHash(file, digestAlgorithm(expected.digest), expected.size);
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
      const present = await blocksWithin(file, blocks, expected.size);
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

  /** @returns where the first byte is missing from `start` on, or `end` */
  firstMissing(start: number, end: number): number {
    let at = start;
    while (at < end && this.#present.has(Math.floor(at / BLOCK_SIZE))) at += BLOCK_SIZE - (at % BLOCK_SIZE);
    return Math.min(at, end);
  }

  /** Takes bytes in order from `start` on, which must be the start of a block. Blocks that are there are left alone. */
  writer(start: number): BlockWriter {
    return new BlockWriter(start, this.size, {
      isPresent: (block) => this.#present.has(block),
      writeBlock: (block, pieces) => this.#writeBlock(block, pieces),
      gathered: (bytes) => {
        this.#received += bytes;
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
    const found = `${digestAlgorithm(this.digest)}:${await this.#hash.digest()}`;
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
    this.#hash.abandon();
    await this.#syncing;
    this.#present.clear();
    await this.#journal.clear();
    this.#hash = chooseHash(this.#file, digestAlgorithm(this.digest), this.size);
    this.#next = 0;
    this.#received = 0;
  }

  async close(): Promise<void> {
    await this.#hashing?.catch(() => {});
    this.#hash.abandon();
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
    while (this.#present.has(this.#next)) {
      let block = this.#next;
      while (block < this.#next + HASH_BLOCKS && this.#present.has(block)) block++;
      await this.#hash.update(this.#next * BLOCK_SIZE, Math.min(block * BLOCK_SIZE, this.size));
      this.#next = block;
    }
  }

  async #writeBlock(block: number, pieces: readonly Buffer[]): Promise<void> {
    await writeAll(this.#file, pieces, block * BLOCK_SIZE);
    if (this.#present.has(block)) {
      // Somebody else was faster with the same block.
      this.#received -= this.#lengthOf(block);
      return;
    }
    await this.#journal.append(block);
    this.#present.add(block);
    this.#unsynced++;
    this.#startHashing();
    this.#startSync();
  }

  #startSync(): void {
    const isDue = this.#unsynced >= SYNC_BLOCKS || Date.now() - this.#synced >= SYNC_MS;
    if (this.#syncing !== undefined || !isDue) return;
    const { position } = this.#journal;
    this.#unsynced = 0;
    this.#syncing = this.#file
      .datasync()
      .then(() => this.#journal.markSynced(position))
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

/** A file that was cut has not what the journal says. */
async function blocksWithin(file: FileHandle, blocks: ReadonlySet<number>, size: number): Promise<Set<number>> {
  const { size: length } = await file.stat();
  return new Set([...blocks].filter((block) => Math.min((block + 1) * BLOCK_SIZE, size) <= length));
}

async function writeAll(file: FileHandle, pieces: readonly Buffer[], position: number): Promise<void> {
  const { bytesWritten } = await file.writev(pieces, position);
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytesWritten === total) return;
  // A disk that is almost full takes a part, and says why at the next attempt.
  for (let rest = Buffer.concat(pieces).subarray(bytesWritten), at = position + bytesWritten; rest.length > 0; ) {
    const written = await file.write(rest, 0, rest.length, at);
    at += written.bytesWritten;
    rest = rest.subarray(written.bytesWritten);
  }
}
