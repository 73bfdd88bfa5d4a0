// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { type LogKind, logFile, logNumbers } from './log-files.ts';
import { decodeRecord, type LogRecord } from './log-record.ts';

export interface LogOptions {
  /** Milliseconds since 1970. */
  since?: number | undefined;
  until?: number | undefined;
  /** Only so many of the last lines. */
  tail?: number | undefined;
  /** Asked when there is nothing more to read: whether more may come. Default: no. */
  goesOn?: (() => Promise<boolean>) | undefined;
  signal?: AbortSignal | undefined;
}

const PAUSE_MS = 100;
const NEWLINE = 0x0a;

/** Reads a log from its beginning; with `goesOn` it waits for more. A log that is not there is empty. */
export async function* readLog(folder: string, kind: LogKind, options: LogOptions = {}): AsyncGenerator<LogRecord> {
  const { since, until, tail } = options;
  const wanted = ({ time }: LogRecord): boolean => {
    const at = Date.parse(time);
    return (since === undefined || at >= since) && (until === undefined || at <= until);
  };
  const reader = new LogReader(folder, kind);
  try {
    if (tail === undefined) {
      for await (const record of reader.available()) if (wanted(record)) yield record;
    } else {
      const last = new LastLines(tail);
      for await (const record of reader.available()) if (wanted(record)) last.add(record);
      yield* last.records;
    }
    const { goesOn, signal } = options;
    for (let more = goesOn !== undefined; more && !signal?.aborted; ) {
      if (until !== undefined && Date.now() > until) return;
      // Asked first: what is written until the end is read after it.
      more = (await goesOn?.()) ?? false;
      for await (const record of reader.available()) if (wanted(record)) yield record;
      if (more) await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await reader.close();
  }
}

/** The last lines of a log. The parts of a line count as one. */
class LastLines {
  readonly records: LogRecord[] = [];
  readonly #limit: number;
  #lines = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(record: LogRecord): void {
    if (!isPart(this.records.at(-1))) this.#lines++;
    this.records.push(record);
    for (; this.#lines > this.#limit; this.#lines--) {
      let first: LogRecord | undefined;
      do first = this.records.shift();
      while (isPart(first) && this.records.length > 0);
    }
  }
}

function isPart(record: LogRecord | undefined): boolean {
  return record !== undefined && record.bytes.at(-1) !== NEWLINE;
}

/** Reads file after file. One that is removed while it is read is still read to its end. */
class LogReader {
  readonly #folder: string;
  readonly #kind: LogKind;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #number = 0;
  #file: FileHandle | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(folder: string, kind: LogKind) {
    this.#folder = folder;
    this.#kind = kind;
  }

  async *available(): AsyncGenerator<LogRecord> {
    for (;;) {
      // Looked up before the file is read: once there is a next one, this one grows no more.
      const next = (await logNumbers(this.#folder, this.#kind)).find((number) => number > this.#number);
      yield* this.#readFile();
      if (next === undefined) return;
      await this.#open(next);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async *#readFile(): AsyncGenerator<LogRecord> {
    while (this.#file !== undefined) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, this.#buffer.length);
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      this.#rest = Buffer.from(bytes.subarray(end));
      for (const line of bytes.toString('utf8', 0, end).split('\n')) {
        const record = line === '' ? undefined : decodeRecord(line);
        if (record !== undefined) yield record;
      }
    }
  }

  async #open(number: number): Promise<void> {
    await this.close();
    this.#number = number;
    this.#rest = Buffer.alloc(0);
    try {
      this.#file = await open(logFile(this.#folder, this.#kind, number), 'r');
    } catch (error) {
      // The writer was faster than this reader by the whole size of the log.
      if (!isMissing(error)) throw error;
    }
  }
}
