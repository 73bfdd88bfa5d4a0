// SPDX-License-Identifier: Apache-2.0
import type { Locks } from '../storage/filesystem/keyed-lock.ts';
import type { LockAnswer, LockRequest } from './lock-messages.ts';

/** The primary process's side of the lock: takes it in the name of one worker, for as long as that worker lives. */
export class LockKeeper {
  readonly #locks: Locks;
  readonly #send: (answer: LockAnswer) => void;
  readonly #held = new Map<number, () => void>();
  #gone = false;

  /** @param send to the worker; must not throw where the worker is gone */
  constructor(locks: Locks, send: (answer: LockAnswer) => void) {
    this.#locks = locks;
    this.#send = send;
  }

  requested(request: LockRequest): void {
    if (request.type === 'unlock') {
      this.#held.get(request.id)?.();
      this.#held.delete(request.id);
      return;
    }
    const { id, key, wait } = request;
    const grant = () => {
      // Its turn came when nobody was there any more to take it.
      if (this.#gone) return Promise.resolve();
      const released = new Promise<void>((resolve) => this.#held.set(id, resolve));
      this.#send({ type: 'locked', id, held: true });
      return released;
    };
    if (wait) void this.#locks.hold(key, grant);
    else
      void this.#locks.tryHold(key, grant).then((taken) => {
        if (taken === undefined) this.#send({ type: 'locked', id, held: false });
      });
  }

  /** The worker ended: what it did while it held a lock is done or will never be. */
  workerGone(): void {
    this.#gone = true;
    for (const release of this.#held.values()) release();
    this.#held.clear();
  }
}
