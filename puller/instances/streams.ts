// SPDX-License-Identifier: Apache-2.0
import type { Duplex, Readable, Writable } from 'node:stream';

/** Errors of a sink that mean only that nobody reads any more. */
const GONE: ReadonlySet<string | undefined> = new Set([
  ...['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_WRITE_AFTER_END'],
]);

/**
 * One stream of the program's on its way out: byte for byte, as fast as its reader reads. How many bytes there are in
 * all becomes known only at the end, from the guest.
 */
export class OutputCopy {
  readonly #source: Duplex;
  readonly #sink: Writable;
  readonly #onFailure: (error: Error) => void;
  readonly #done = Promise.withResolvers<void>();
  #seen = 0;
  #unwritten = 0;
  #total: number | undefined;
  #over = false;
  #abandoned = false;

  readonly #receive = (chunk: Buffer): void => {
    this.#seen += chunk.length;
    this.#unwritten++;
    const roomy = this.#sink.write(chunk, (error) => {
      // It comes here before it comes as an event: what was lost must never count as written.
      if (error) this.#fail(error);
      this.#unwritten--;
      this.#check();
    });
    if (!roomy) this.#source.pause();
  };
  readonly #resume = (): void => void this.#source.resume();
  /** Nobody reads any more (`uk run … | head`): the program must learn it, as it would from a pipe. */
  readonly #abandon = (): void => {
    this.#abandoned = true;
    this.#source.destroy();
    this.#finish();
  };

  readonly #fail = (error: NodeJS.ErrnoException): void => {
    if (!this.#over && !GONE.has(error.code)) this.#onFailure(error);
    this.#abandon();
  };

  /** @param onFailure told of a sink that broke (a full disk), not of one that was closed */
  constructor(source: Duplex, sink: Writable, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    this.#source = source;
    this.#sink = sink;
    source.on('data', this.#receive);
    source.on('error', () => {});
    source.on('close', () => this.#finish());
    sink.on('drain', this.#resume);
    sink.on('error', this.#fail);
    sink.on('close', this.#abandon);
  }

  /** Bytes that have come so far. */
  get seen(): number {
    return this.#seen;
  }

  /**
   * Waits until the sink has taken all bytes, or nobody wants them any more.
   *
   * @param total how many there are
   * @returns false where the source ended before it had given all
   */
  async complete(total: number): Promise<boolean> {
    this.#total = total;
    this.#check();
    await this.#done.promise;
    return this.#abandoned || this.#seen === total;
  }

  /** Resolves at the end of the source, for a guest that has ended without a word. */
  async drained(): Promise<void> {
    return this.#done.promise;
  }

  #check(): void {
    if (this.#unwritten === 0 && this.#total !== undefined && this.#seen >= this.#total) this.#finish();
    if (this.#unwritten === 0 && this.#over) this.#done.resolve();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.off('data', this.#receive);
    // The sink is the caller's and lives on; what this copy has hung on it must not.
    this.#sink.off('drain', this.#resume);
    this.#sink.off('close', this.#abandon);
    const { writable, destroyed } = this.#sink;
    if (this.#unwritten === 0 || destroyed || !writable) this.#done.resolve();
    // A sink that breaks may say so again, long after: it first closes its file.
    if (!this.#abandoned) setImmediate(() => this.#sink.off('error', this.#fail));
  }
}

/** The program's standard input on its way in. */
export class InputCopy {
  readonly #source: Readable;
  readonly #port: Duplex;
  #written = 0;

  readonly #receive = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#written += bytes.length;
    if (!this.#port.write(bytes)) this.#source.pause();
  };
  readonly #resume = (): void => void this.#source.resume();
  readonly #end: () => void;

  /** @param onEnd told how many bytes there were in all */
  constructor(source: Readable, port: Duplex, onEnd: (bytes: number) => void) {
    this.#source = source;
    this.#port = port;
    let ended = false;
    this.#end = () => {
      if (!ended) onEnd(this.#written);
      ended = true;
    };
    port.on('drain', this.#resume);
    port.on('error', () => this.stop());
    source.on('data', this.#receive);
    source.on('end', this.#end);
    // An input that breaks ends there; what was read of it has been passed on.
    source.on('error', this.#end);
    source.on('close', this.#end);
  }

  /** Leaves the source alone, and lets the process end although it is still open (a terminal). */
  stop(): void {
    this.#port.off('drain', this.#resume);
    this.#source.off('data', this.#receive);
    this.#source.off('end', this.#end);
    this.#source.off('close', this.#end);
    this.#source.pause();
    if ('unref' in this.#source && typeof this.#source.unref === 'function') this.#source.unref();
  }
}

/** Most bytes of the log that wait for a slow reader. */
const WAITING_MAX = 4 * 1024 ** 2;

/** Keeps the end of the kernel's log, passes it on as it comes, and looks for texts in it. */
export class LogTail {
  readonly #limit: number;
  readonly #ended: Promise<void>;
  #chunks: Buffer[] = [];
  #size = 0;
  #isCut = false;
  #seen = 0;
  readonly #sink: Writable | undefined;
  readonly #watches: { text: string; seen: () => void; before: string }[] = [];

  /** @param limit bytes to keep */
  constructor(source: Readable, sink: Writable | undefined, limit = 64 * 1024) {
    this.#limit = limit;
    this.#sink = sink;
    this.#ended = new Promise((resolve) => source.once('close', resolve));
    source.on('error', () => {});
    source.on('data', (chunk: Buffer) => {
      this.#seen += chunk.length;
      this.#keep(chunk);
      this.#look(chunk);
      if (sink !== undefined) this.#pass(chunk, sink);
    });
  }

  /** Bytes that the kernel has written so far. */
  get seen(): number {
    return this.#seen;
  }

  /** A remark of this process's, in its place among the kernel's lines. */
  add(text: string): void {
    this.#keep(Buffer.from(text));
    if (this.#sink !== undefined) this.#pass(Buffer.from(text), this.#sink);
  }

  /** Tells of a text the first time that it comes, however it is cut. Call it before the log is read. */
  watch(text: string, seen: () => void): void {
    this.#watches.push({ text, seen, before: '' });
  }

  #look(chunk: Buffer): void {
    for (const watch of [...this.#watches]) {
      const all = watch.before + chunk.toString('latin1');
      if (all.includes(watch.text)) {
        this.#watches.splice(this.#watches.indexOf(watch), 1);
        watch.seen();
      } else {
        watch.before = all.slice(-watch.text.length);
      }
    }
  }

  /** A log that nobody reads must not stop the guest, nor fill this process: it is not waited for, but cut. */
  #pass(chunk: Buffer, sink: Writable): void {
    if (sink.writableLength <= WAITING_MAX) sink.write(chunk);
    else if (!this.#isCut) {
      this.#isCut = true;
      sink.write('\n[uk: some of the log is left out here and further on: it is read too slowly]\n');
    }
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < 2 * this.#limit) return;
    const kept = Buffer.concat(this.#chunks).subarray(-this.#limit);
    this.#chunks = [kept];
    this.#size = kept.length;
  }

  /** The last lines, without carriage returns. */
  text(lines = 40): string {
    const all = Buffer.concat(this.#chunks).toString('utf8').replaceAll('\r', '').trimEnd();
    return all.split('\n').slice(-lines).join('\n');
  }

  /** Resolves when no more can come. */
  async end(): Promise<void> {
    return this.#ended;
  }
}
