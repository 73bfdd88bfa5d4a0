// SPDX-License-Identifier: Apache-2.0
import { KeyedLock, type Locks } from '../storage/keyed-lock.ts';
import type { LockAnswer, LockRequest } from './lock-messages.ts';

/**
 * A worker's side of the lock that lives in the primary process. Requests of this worker for one key line up here
 * first, so that the primary hears of one at a time. A worker that ends loses what it held; a primary that ends leaves
 * its workers without answers, and they end too.
 */
export class RemoteLocks implements Locks {
  readonly #send: (request: LockRequest) => void;
  readonly #own = new KeyedLock();
  readonly #waiting = new Map<number, (held: boolean) => void>();
  #last = 0;

  constructor(send: (request: LockRequest) => void) {
    this.#send = send;
  }

  hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#own.hold(key, async () => {
      const id = this.#ask(key, true);
      await id.answer;
      return this.#run(id.number, work);
    });
  }

  async tryHold<T>(key: string, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    const mine = await this.#own.tryHold(key, async () => {
      const id = this.#ask(key, false);
      return (await id.answer) ? { value: await this.#run(id.number, work) } : undefined;
    });
    return mine?.value;
  }

  /** To be called with each answer of the primary process. */
  answered({ id, held }: LockAnswer): void {
    this.#waiting.get(id)?.(held);
    this.#waiting.delete(id);
  }

  #ask(key: string, wait: boolean): { number: number; answer: Promise<boolean> } {
    this.#last += 1;
    const number = this.#last;
    const answer = new Promise<boolean>((resolve) => this.#waiting.set(number, resolve));
    this.#send({ type: 'lock', id: number, key, wait });
    return { number, answer };
  }

  async #run<T>(id: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#send({ type: 'unlock', id });
    }
  }
}
