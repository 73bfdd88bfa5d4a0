// SPDX-License-Identifier: Apache-2.0
import type { Locks } from '../storage/keyed-lock.ts';
import type { LockAnswer, LockRequest } from './lock-messages.ts';

interface Held {
  release(): void;
  /** When the lock is free again. */
  done: Promise<unknown>;
}

/** The primary process's side of the lock: takes it in the name of one worker, for as long as that worker lives. */
export class LockKeeper {
  readonly #locks: Locks;
  readonly #send: (answer: LockAnswer) => void;
  readonly #held = new Map<number, Held>();
  /** Locks that the worker let go, and that are not free yet. */
  readonly #releasing = new Set<Promise<unknown>>();
  #gone = false;

  /** @param send to the worker; must not throw where the worker is gone */
  constructor(locks: Locks, send: (answer: LockAnswer) => void) {
    this.#locks = locks;
    this.#send = send;
  }

  requested(request: LockRequest): void {
    if (request.type === 'unlock') this.#release(request.id);
    else if (request.wait) this.#take(request.id, (grant) => this.#locks.hold(request.key, grant));
    else void this.#try(request.id, request.key);
  }

  /** The worker ended: what it did while it held a lock is done or will never be. */
  workerGone(): void {
    this.#gone = true;
    for (const { release } of this.#held.values()) release();
    this.#held.clear();
  }

  async #try(id: number, key: string): Promise<void> {
    // Of two messages that came at once the first may be the one that lets this very key go.
    await Promise.all(this.#releasing);
    const taken = await this.#take(id, (grant) => this.#locks.tryHold(key, grant));
    if (taken === undefined) this.#send({ type: 'locked', id, held: false });
  }

  #take<T>(id: number, hold: (grant: () => Promise<void>) => Promise<T>): Promise<T> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const held: Held = { release, done: released };
    const done = hold(() => {
      // Its turn may come when nobody is there any more to take it.
      if (this.#gone) return Promise.resolve();
      this.#held.set(id, held);
      this.#send({ type: 'locked', id, held: true });
      return released;
    });
    held.done = done;
    return done;
  }

  #release(id: number): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    this.#releasing.add(held.done);
    void held.done.finally(() => this.#releasing.delete(held.done));
    held.release();
  }
}
