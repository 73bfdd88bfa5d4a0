// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ImageError } from '../../errors.ts';
import type { FileHash } from './file-hash.ts';
import type { FromHashThread, ToHashThread } from './hash-thread-program.ts';

const PROGRAM = new URL(`./hash-thread-program${extname(import.meta.url)}`, import.meta.url);

interface Waiting {
  resolve(digest: string): void;
  reject(error: Error): void;
}

let thread: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, Waiting>();

/** A hash in a thread beside this one, which reads the file itself: so the network is not kept waiting. */
export class HashThread implements FileHash {
  readonly #fd: number;
  readonly #id = ++lastId;
  readonly #algorithm: string;

  /** @param fd stays open until every call has ended */
  constructor(fd: number, algorithm: string) {
    this.#fd = fd;
    this.#algorithm = algorithm;
    // It begins while the first bytes come.
    threadOf();
  }

  async update(start: number, end: number): Promise<void> {
    await ask({ kind: 'update', id: this.#id, algorithm: this.#algorithm, fd: this.#fd, start, end });
  }

  async digest(): Promise<string> {
    return await ask({ kind: 'digest', id: this.#id, algorithm: this.#algorithm });
  }

  abandon(): void {
    thread?.postMessage({ kind: 'forget', id: this.#id } satisfies ToHashThread);
  }
}

/** One call of a hash at a time. */
async function ask(message: ToHashThread): Promise<string> {
  return await new Promise((resolve, reject) => {
    const worker = threadOf();
    waiting.set(message.id, { resolve, reject });
    worker.ref();
    worker.postMessage(message);
  });
}

function threadOf(): Worker {
  if (thread !== undefined) return thread;
  const worker = new Worker(PROGRAM);
  worker.unref();
  worker.on('message', ({ id, digest, error }: FromHashThread) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error === undefined) asked?.resolve(digest);
    else asked?.reject(new ImageError('STORE_IO', `reading a partial blob: ${error}`));
  });
  const failed = (why: string) => {
    thread = undefined;
    for (const { reject } of waiting.values())
      reject(new ImageError('STORE_IO', `the thread for digests ended: ${why}`));
    waiting.clear();
  };
  worker.on('error', (error) => failed(error.message));
  worker.on('exit', (status) => failed(`status ${status}`));
  thread = worker;
  return worker;
}
