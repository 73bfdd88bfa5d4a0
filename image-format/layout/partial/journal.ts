// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { bootId } from '../process-start.ts';

/** A partial blob is kept in blocks of this size; only the last one may be shorter. */
export const BLOCK_SIZE = 256 * 1024;

const MAGIC = Buffer.from('ukpart2\n');
const HEADER = 64;
const RECORD = 8;
/** In place of a block's number, with the number of the first records whose blocks are on the disk. */
const SYNCED = 0x8000_0000;

/**
 * The list of the blocks that a partial blob has. It is only ever appended to, and never synced.
 *
 * A process that is killed takes nothing with it that was written: what the list says holds. After a loss of power it
 * holds as far as the last mark, which is written when the disk has taken the data of all blocks before it. The list
 * itself may then be cut or damaged, which shows in each record. Which of the two happened is known by the boot that the
 * list was written in.
 */
export class Journal {
  readonly #file: FileHandle;
  /** Records that are to be written with those before them. */
  #waiting: Buffer[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** How many there are, with those that wait. */
  #records: number;

  private constructor(file: FileHandle, records: number) {
    this.#file = file;
    this.#records = records;
  }

  /**
   * @param boot names the time from one start of this machine to the next; undefined where nobody knows it
   * @returns the journal, and the blocks that it says are there. Of a blob of another size it says nothing.
   */
  static async open(
    path: string,
    size: number,
    boot: string | undefined = currentBoot(),
  ): Promise<{ journal: Journal; blocks: Set<number> }> {
    const file = await open(path, 'a+', 0o600);
    try {
      const bytes = await file.readFile();
      const found = decode(bytes, size);
      if (found === undefined) {
        await file.truncate(0);
        await file.appendFile(encodeHeader(size, boot ?? ''));
        return { journal: new Journal(file, 0), blocks: new Set() };
      }
      if (boot === undefined || found.boot !== boot) {
        await file.close();
        return await rewrite(path, size, boot ?? '', found.synced);
      }
      // What a crash cut off would shift all records behind it.
      await file.truncate(HEADER + found.records * RECORD);
      return { journal: new Journal(file, found.records), blocks: found.blocks };
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }

    /** A list of what is left takes the place of the old one at once. */
    async function rewrite(path: string, size: number, boot: string, blocks: Set<number>) {
      const records = [...blocks, SYNCED + blocks.size].map(encodeRecord);
      const next = await open(`${path}.new`, 'w', 0o600);
      try {
        await next.writeFile(Buffer.concat([encodeHeader(size, boot), ...records]));
        await next.sync();
      } finally {
        await next.close();
      }
      await rename(`${path}.new`, path);
      return { journal: new Journal(await open(path, 'a+', 0o600), records.length), blocks };
    }
  }

  /** How many records there are. Blocks that are appended later have later records. */
  get position(): number {
    return this.#records;
  }

  async append(block: number): Promise<void> {
    await this.#append(encodeRecord(block));
  }

  /** Says that the data of all blocks before a position are on the disk. */
  async markSynced(position: number): Promise<void> {
    await this.#append(encodeRecord(SYNCED + position));
  }

  /** Forgets all blocks. */
  async clear(): Promise<void> {
    await this.#writing;
    await this.#file.truncate(HEADER);
    this.#records = 0;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  /** What comes while one write is under way goes into the next, all together. */
  async #append(record: Buffer): Promise<void> {
    this.#waiting.push(record);
    this.#records++;
    if (this.#waiting.length === 1) {
      this.#writing = this.#writing.then(async () => {
        const records = Buffer.concat(this.#waiting);
        this.#waiting = [];
        await this.#file.appendFile(records);
      });
    }
    await this.#writing;
  }
}

let boot: string | undefined;

/** Changes with every start of the machine. */
function currentBoot(): string | undefined {
  try {
    boot ??= bootId();
  } catch {
    // Then every journal counts as one that was written before a loss of power.
  }
  return boot;
}

function encodeHeader(size: number, boot: string): Buffer {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(size), 8);
  header.writeUInt32BE(BLOCK_SIZE, 16);
  header.write(boot, 20, 36, 'latin1');
  header.writeUInt32BE(crc32(header.subarray(0, HEADER - 4)), HEADER - 4);
  return header;
}

function encodeRecord(block: number): Buffer {
  const record = Buffer.alloc(RECORD);
  record.writeUInt32BE(block, 0);
  record.writeUInt32BE(crc32(record.subarray(0, 4)), 4);
  return record;
}

interface Decoded {
  boot: string;
  records: number;
  blocks: Set<number>;
  /** Those that the last mark speaks of. */
  synced: Set<number>;
}

/** @returns undefined for what is no journal of a blob of this size */
function decode(bytes: Buffer, size: number): Decoded | undefined {
  if (bytes.length < HEADER) return undefined;
  const boot = bytes.toString('latin1', 20, 56).replace(/\0+$/, '');
  if (!bytes.subarray(0, HEADER).equals(encodeHeader(size, boot))) return undefined;
  const records = Math.floor((bytes.length - HEADER) / RECORD);
  const found: { block: number; position: number }[] = [];
  let synced = 0;
  for (let position = 0; position < records; position++) {
    const at = HEADER + position * RECORD;
    const number = bytes.readUInt32BE(at);
    if (crc32(bytes.subarray(at, at + 4)) !== bytes.readUInt32BE(at + 4)) continue;
    if (number >= SYNCED) synced = Math.max(synced, number - SYNCED);
    else if (number * BLOCK_SIZE < size) found.push({ block: number, position });
  }
  return {
    boot,
    records,
    blocks: new Set(found.map(({ block }) => block)),
    synced: new Set(found.filter(({ position }) => position < synced).map(({ block }) => block)),
  };
}
