// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, statSync, stat as statWithCallback } from 'node:fs';
import { Caution } from './caution.ts';
import { errnoOf } from './failures.ts';

/** A look at a file on a local disk takes microseconds; from here on something is slow. */
const SLOW_MS = 1;
/** For how long after a slow look the next ones are made in other threads. */
const CAUTION_MS = 10_000;

/**
 * Looks at files. What the kernel knows of a file it answers in 2 µs; to ask for it in another thread and to be told costs
 * 20 µs of processor time, and every request of the registry looks at two files. So looks are made at once, on this
 * thread, as long as they are quick: where one was not (a disk that sleeps, a folder across a network), all are made in
 * other threads for a while, and hold nobody up.
 */
export class Looks {
  readonly #caution = new Caution(SLOW_MS, CAUTION_MS);

  /** @returns undefined where there is none */
  at(path: string): BigIntStats | undefined | Promise<BigIntStats | undefined> {
    if (this.#caution.advised) return look(path);
    try {
      return this.#caution.watch(() => statSync(path, { bigint: true }));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
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
