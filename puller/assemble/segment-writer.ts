// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { type CpioEntry, cpioHeader, cpioPadding, cpioTrailer, hex8, LINKS_OFFSET } from './cpio.ts';

const STEP = 1024 * 1024;

/** Writes one cpio archive into a new file, in large steps. */
export class SegmentWriter {
  readonly #file: FileHandle;
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #offset = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<SegmentWriter> {
    return new SegmentWriter(await open(path, 'wx', 0o600));
  }

  /** @returns where the entry's header stands */
  async add(entry: CpioEntry, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<number> {
    const at = this.#offset;
    await this.#write(cpioHeader(entry));
    for await (const chunk of content) await this.#write(chunk);
    await this.#write(Buffer.alloc(cpioPadding(entry.size)));
    return at;
  }

  /** Corrects how many links an entry has that stands at `at` already. */
  async setLinks(at: number, links: number): Promise<void> {
    await this.#flush();
    await this.#file.write(Buffer.from(hex8(links), 'latin1'), 0, 8, at + LINKS_OFFSET);
  }

  async finish(): Promise<void> {
    await this.#write(cpioTrailer());
    await this.#flush();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingSize += bytes.length;
    this.#offset += bytes.length;
    if (this.#pendingSize >= STEP) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    const start = this.#offset - this.#pendingSize;
    this.#pending = [];
    this.#pendingSize = 0;
    if (bytes === undefined || bytes.length === 0) return;
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#file.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
    }
  }
}
