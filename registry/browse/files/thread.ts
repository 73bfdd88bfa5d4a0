// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RegistryError } from '../../errors.ts';
import type { PackageList } from '../referrers/read-packages.ts';
import type { IndexLimits } from './make-index.ts';
import type { Answer, FromThread, LayerKey, Query, ToThread } from './messages.ts';

const PROGRAM = new URL(`./thread-program${extname(import.meta.url)}`, import.meta.url);
/** The thread's heap: a layer that needs more ends the thread, and nothing else. */
const HEAP_MB = 640;
/** A thread that nobody asks for this long is ended, with all that it holds. */
const IDLE_MS = 60_000;
/** A question takes no longer; one that does ends the thread. */
const ANSWERED_WITHIN_MS = 60_000;

export interface MadeIndex {
  bytes: Uint8Array;
  unpacked: number;
  files: number;
}

interface Waiting {
  answered(message: FromThread): void;
  failed(error: Error): void;
}

/** The thread that reads layers: begun when it is needed, ended when it was not for a while. */
export class FilesThread {
  #worker: Worker | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();
  #idle: NodeJS.Timeout | undefined;

  /**
   * Reads a blob to its end.
   *
   * @throws RegistryError `CONTENT_UNREADABLE` for a blob that is no layer; what `source` throws
   */
  async index(source: AsyncIterable<Uint8Array>, limits: IndexLimits, signal: AbortSignal): Promise<MadeIndex> {
    const chunks = source[Symbol.asyncIterator]();
    let failure: unknown;
    const feed = async (id: number) => {
      try {
        const next = await chunks.next();
        // A driver uses its buffers again.
        if (next.done) this.#say({ type: 'chunk', id });
        else this.#sendBytes({ type: 'chunk', id, bytes: new Uint8Array(next.value) });
      } catch (error) {
        failure = error;
        this.#say({ type: 'chunk', id, failed: true });
      }
    };
    try {
      const message = await this.#call((id) => ({ type: 'index', id, limits }), feed, signal);
      if (failure !== undefined) throw failure;
      if (message.type === 'indexed') return message;
      throw unreadable(message.type === 'refused' ? message.message : 'the layer cannot be listed');
    } finally {
      await chunks.return?.();
    }
  }

  /**
   * @param load gives the bytes of a layer's index, where the thread does not hold it
   * @throws RegistryError `CONTENT_UNREADABLE` with the reason
   */
  async query(query: Query, load: (key: LayerKey) => Promise<Uint8Array>): Promise<Answer> {
    const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
    // Each round brings all that is missing; layers which together are too large push each other out.
    for (let round = 0; round < 3; round += 1) {
      const message = await this.#call((id) => ({ type: 'query', id, query }), undefined, signal);
      if (message.type === 'answer') return message.answer;
      if (message.type !== 'missing') throw unreadable(message.type === 'refused' ? message.message : 'no answer');
      for (const key of message.keys) {
        this.#sendBytes({ type: 'load', key, bytes: new Uint8Array(await load(key)) });
      }
    }
    throw unreadable('the layers have too many files to be held at once');
  }

  /** Reads an SBOM; undefined for what is none. */
  async packages(bytes: Uint8Array): Promise<PackageList | undefined> {
    const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
    const message = await this.#call((id) => ({ type: 'packages', id, bytes }), undefined, signal);
    return message.type === 'packages' ? message.list : undefined;
  }

  async close(): Promise<void> {
    await this.#end(new RegistryError('CONTENT_UNREADABLE', 'the server is stopping'));
  }

  #call(
    ask: (id: number) => ToThread,
    more: ((id: number) => Promise<void>) | undefined,
    signal: AbortSignal,
  ): Promise<FromThread> {
    const id = ++this.#lastId;
    return new Promise<FromThread>((resolve, reject) => {
      const late = () => void this.#end(unreadable('it takes too long'));
      const done = () => {
        signal.removeEventListener('abort', late);
        this.#waiting.delete(id);
        this.#rest();
      };
      this.#waiting.set(id, {
        answered: (message) => {
          if (message.type === 'more') {
            void more?.(id);
            return;
          }
          done();
          resolve(message);
        },
        failed: (error) => {
          done();
          reject(error);
        },
      });
      signal.addEventListener('abort', late, { once: true });
      if (signal.aborted) late();
      else this.#say(ask(id));
    });
  }

  #say(message: ToThread): void {
    this.#running().postMessage(message);
  }

  #sendBytes(message: ToThread & { bytes?: Uint8Array }): void {
    const buffer = message.bytes?.buffer;
    this.#running().postMessage(message, buffer instanceof ArrayBuffer ? [buffer] : []);
  }

  #running(): Worker {
    clearTimeout(this.#idle);
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(PROGRAM, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    worker.unref();
    worker.on('message', (message: FromThread) => this.#waiting.get(message.id)?.answered(message));
    // The heap ran full, most likely.
    worker.on('error', () => this.#gone(worker));
    worker.on('exit', () => this.#gone(worker));
    this.#worker = worker;
    return worker;
  }

  #gone(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { failed } of [...this.#waiting.values()]) failed(unreadable('it needs too much memory'));
  }

  async #end(error: Error): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    for (const { failed } of [...this.#waiting.values()]) failed(error);
    await worker?.terminate();
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#waiting.size > 0 || this.#worker === undefined) return;
    this.#idle = setTimeout(() => void this.#end(unreadable('the thread rests')), IDLE_MS);
    this.#idle.unref();
  }
}

function unreadable(why: string): RegistryError {
  return new RegistryError('CONTENT_UNREADABLE', why);
}
