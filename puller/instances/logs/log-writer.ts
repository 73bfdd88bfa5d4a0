// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { type LogKind, logFile, logNumbers } from './log-files.ts';
import { cutLines, encodeRecord, type LogRecord, type LogStream } from './log-record.ts';

export interface LogLimits {
  /** Bytes of a file. */
  size: number;
  /** Files that are kept. */
  files: number;
}

const LIMITS: LogLimits = { size: 10 * 1024 ** 2, files: 3 };

/** So long the beginning of a line waits for its end. */
const PARTIAL_MS = 200;

/**
 * Writes one kind of log of an instance. A file that has reached its size is followed by the next one, and the oldest is
 * removed. A disk that takes no more never ends the program: lines are left out, and how many is written as soon as there
 * is room.
 */
export class LogWriter {
  readonly #folder: string;
  readonly #kind: LogKind;
  readonly #limits: LogLimits;
  #file: FileHandle | undefined;
  #number = 0;
  #size = 0;
  #lost = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, kind: LogKind, limits: LogLimits = LIMITS) {
    this.#folder = folder;
    this.#kind = kind;
    this.#limits = limits;
  }

  /** A sink for one stream; it never fails. */
  sink(stream: LogStream): Writable {
    return lineSink((lines) => {
      const time = new Date().toISOString();
      return this.write(lines.map((bytes) => ({ time, stream, bytes })));
    });
  }

  /** Writes records, after all that were given before. Never rejects. */
  write(records: readonly LogRecord[]): Promise<void> {
    this.#last = this.#last.then(() => this.#append(records));
    return this.#last;
  }

  /** A remark of uk's own. */
  async note(text: string): Promise<void> {
    await this.write([{ time: new Date().toISOString(), stream: 'uk', bytes: Buffer.from(`${text}\n`) }]);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #append(records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.#prepare();
      const all = this.#lost === 0 ? records : [this.#gap(), ...records];
      const text = Buffer.from(all.map(encodeRecord).join(''));
      await this.#file?.appendFile(text);
      this.#size += text.length;
      this.#lost = 0;
    } catch {
      this.#lost += records.length;
      // The end of the file is unknown now: the next attempt begins another one.
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
    }
  }

  #gap(): LogRecord {
    const bytes = Buffer.from(`[uk: ${this.#lost} lines could not be written: the disk was full or not writable]\n`);
    return { time: new Date().toISOString(), stream: 'uk', bytes };
  }

  async #prepare(): Promise<void> {
    if (this.#file !== undefined && this.#size < this.#limits.size) return;
    await this.#file?.close();
    this.#file = undefined;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const numbers = await logNumbers(this.#folder, this.#kind);
    this.#number = Math.max(this.#number, numbers.at(-1) ?? 0) + 1;
    for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - this.#limits.files))) {
      await rm(logFile(this.#folder, this.#kind, old), { force: true });
    }
    this.#file = await open(logFile(this.#folder, this.#kind, this.#number), 'ax', 0o600);
    this.#size = 0;
  }
}

/** Gathers lines. The beginning of one that does not go on is passed on after a moment, as a prompt would be. */
function lineSink(pass: (lines: Buffer[]) => Promise<void>): Writable {
  let rest: Buffer = Buffer.alloc(0);
  let timer: NodeJS.Timeout | undefined;
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    const lines = rest.length === 0 ? [] : [rest];
    rest = Buffer.alloc(0);
    return pass(lines);
  };
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      clearTimeout(timer);
      const cut = cutLines(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      rest = Buffer.from(cut.rest);
      if (rest.length > 0) timer = setTimeout(flush, PARTIAL_MS);
      pass(cut.lines).then(() => done());
    },
    final(done) {
      flush().then(() => done());
    },
  });
  // What comes after the end is nobody's failure.
  sink.on('error', () => {});
  return sink;
}
