// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, statSync, stat as statWithCallback } from 'node:fs';
import { Caution } from './caution.ts';

/** A look at a file on a local disk takes microseconds; from here on something is slow. */
const SLOW_MS = 1;
/** For how long after a slow look the next ones are made in other threads. */
const CAUTION_MS = 10_000;

/**
 * Looks at files. What the kernel knows of a file that was used a moment ago it answers in 2 µs; to ask for it in another
 * thread and to be told costs 20 µs of processor time, and every request of the registry looks at two files. So looks at
 * known files are made at once, on this thread, as long as they are quick: where one was not (a disk that sleeps, a
 * folder across a network), all are made in other threads for a while, and hold nobody up.
 */
export class Looks {
  readonly #caution = new Caution(SLOW_MS, CAUTION_MS);

  /** @param known the file was used before @returns undefined where there is none */
  at(path: string, known: boolean): BigIntStats | undefined | Promise<BigIntStats | undefined> {
    if (!known || this.#caution.advised) return look(path);
    const stats = this.#caution.watch(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
    // Node says the same of a path that leads through a file, which is damage and no answer.
    return stats ?? look(path);
  }
}

/** The callback form costs half of what the promise form does. */
function look(path: string): Promise<BigIntStats | undefined> {
  return new Promise((resolve, reject) => {
    statWithCallback(path, { bigint: true }, (error, stats) => {
      if (error === null) resolve(stats);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    });
  });
}
