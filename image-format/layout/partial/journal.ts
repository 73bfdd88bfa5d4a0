// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A partial blob is kept and checked in blocks of this size; only the last one may be shorter. */
export const BLOCK_SIZE = 256 * 1024;

const MAGIC = Buffer.from('ukpart1\n');
const HEADER = 24;
const RECORD = 12;

/**
 * The list of the blocks that a partial blob has, each with a checksum of its content. It is only ever appended to.
 * Nothing is synced for it: after a loss of power, a record that was not written whole fails its own check, and a block
 * whose data were not written fails the block's.
 */
export class Journal {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @returns the journal, and what it says of blocks: number → checksum. Of a blob of another size it says nothing. */
  static async open(path: string, size: number): Promise<{ journal: Journal; blocks: Map<number, number> }> {
    const file = await open(path, 'a+', 0o600);
    try {
      const bytes = await file.readFile();
      const header = encodeHeader(size);
      if (!bytes.subarray(0, HEADER).equals(header)) {
        await file.truncate(0);
        await file.appendFile(header);
        return { journal: new Journal(file), blocks: new Map() };
      }
      const whole = bytes.length - ((bytes.length - HEADER) % RECORD);
      // What a crash cut off would shift all records behind it.
      if (whole < bytes.length) await file.truncate(whole);
      return { journal: new Journal(file), blocks: decodeRecords(bytes.subarray(HEADER, whole), size) };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async append(block: number, checksum: number): Promise<void> {
    const record = Buffer.alloc(RECORD);
    record.writeUInt32BE(block, 0);
    record.writeUInt32BE(checksum, 4);
    record.writeUInt32BE(crc32(record.subarray(0, 8)), 8);
    await this.#file.appendFile(record);
  }

  /** Forgets all blocks. */
  async clear(size: number): Promise<void> {
    await this.#file.truncate(0);
    await this.#file.appendFile(encodeHeader(size));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encodeHeader(size: number): Buffer {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(size), 8);
  header.writeUInt32BE(BLOCK_SIZE, 16);
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20);
  return header;
}

function decodeRecords(bytes: Buffer, size: number): Map<number, number> {
  const blocks = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += RECORD) {
    const [block, checksum, check] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 8)];
    if (crc32(bytes.subarray(at, at + 8)) === check && block * BLOCK_SIZE < size) blocks.set(block, checksum);
  }
  return blocks;
}
