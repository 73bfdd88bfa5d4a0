// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../types/paging.ts';

/** Who asks waits this long before he hears "being made". */
const PATIENCE_MS = 500;

export interface Job<T> {
  progress: Progress;
  result: Promise<T>;
  /** Waits a moment. @returns whether it is done by then @throws what the job threw */
  soon(): Promise<boolean>;
}

/** Work in the background, each piece once however many ask for it. */
export class Jobs {
  readonly #running = new Map<string, Job<unknown>>();
  #closed = false;

  run<T>(name: string, work: (progress: Progress) => Promise<T>): Job<T> {
    const running = this.#running.get(name);
    // The name tells what the result is.
    if (running !== undefined) return running as Job<T>;
    const progress: Progress = { done: 0, unit: 'repositories' };
    const result = work(progress).finally(() => this.#running.delete(name));
    // Whoever waits hears of it.
    result.catch(() => undefined);
    const job: Job<T> = {
      progress,
      result,
      async soon() {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<false>((resolve) => {
          timer = setTimeout(() => resolve(false), PATIENCE_MS);
        });
        try {
          return await Promise.race([result.then(() => true as const), late]);
        } finally {
          clearTimeout(timer);
        }
      },
    };
    this.#running.set(name, job);
    return job;
  }

  /** To be called between steps. @throws once this is closed */
  goOn(): void {
    if (this.#closed) throw new Error('the server is stopping');
  }

  close(): void {
    this.#closed = true;
  }
}
