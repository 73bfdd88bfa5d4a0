// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { KeyedLock } from '../storage/keyed-lock.ts';
import { LockKeeper } from './lock-keeper.ts';
import { RemoteLocks } from './remote-locks.ts';

/**
 * A worker's locks and what its primary process keeps of them, with a channel that takes its time as a real one does, and
 * as that one gives messages which came together one after the other, with nothing done in between.
 */
function worker(locks: KeyedLock) {
  let connected = true;
  let waiting: (() => unknown)[] = [];
  const deliver = (message: () => unknown) => {
    waiting.push(message);
    if (waiting.length > 1) return;
    setImmediate(() => {
      const together = waiting;
      waiting = [];
      for (const each of together) process.nextTick(each);
    });
  };
  const keeper = new LockKeeper(locks, (answer) => deliver(() => connected && remote.answered(answer)));
  const remote = new RemoteLocks((request) => deliver(() => connected && keeper.requested(request)));
  return {
    remote,
    kill() {
      connected = false;
      keeper.workerGone();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await turn();
}

describe('a lock among processes', () => {
  test('has one holder, whichever worker it is in', async () => {
    const locks = new KeyedLock();
    const workers = [worker(locks).remote, worker(locks).remote, locks];
    let holders = 0;
    let most = 0;
    const work = async () => {
      holders += 1;
      most = Math.max(most, holders);
      await turns(2);
      holders -= 1;
    };
    await Promise.all(Array.from({ length: 60 }, (_, at) => workers[at % 3]?.hold('key', work)));
    expect(most).toBe(1);
  });

  test('is another one for another key', async () => {
    const locks = new KeyedLock();
    const [a, b] = [worker(locks).remote, worker(locks).remote];
    const gate = Promise.withResolvers<void>();
    const first = a.hold('one', () => gate.promise);
    await b.hold('two', async () => undefined);
    gate.resolve();
    await first;
  });

  test('tells at once who only tries that it is held, by this worker or another', async () => {
    const locks = new KeyedLock();
    const [a, b] = [worker(locks).remote, worker(locks).remote];
    const gate = Promise.withResolvers<void>();
    const held = a.hold('key', () => gate.promise);
    await turns(5);
    expect(await a.tryHold('key', async () => 1)).toBeUndefined();
    expect(await b.tryHold('key', async () => 1)).toBeUndefined();
    gate.resolve();
    await held;
    await turns(5);
    expect(await b.tryHold('key', async () => 2)).toEqual({ value: 2 });
    expect(await a.tryHold('key', async () => undefined)).toEqual({ value: undefined });
  });

  test('that was just let go can be had again at once by who only tries', async () => {
    const { remote } = worker(new KeyedLock());
    for (let round = 0; round < 20; round += 1) {
      await remote.hold('key', async () => undefined);
      expect(await remote.tryHold('key', async () => round)).toEqual({ value: round });
      expect(await remote.tryHold('key', async () => round)).toEqual({ value: round });
    }
  });

  test('is let go by work that failed', async () => {
    const { remote } = worker(new KeyedLock());
    const failing = remote.hold('key', async () => {
      throw new Error('the disk broke');
    });
    await expect(failing).rejects.toThrow('the disk broke');
    expect(await remote.hold('key', async () => 'next')).toBe('next');
  });

  test('is let go by a worker that was killed, also where its turn comes only then', async () => {
    const locks = new KeyedLock();
    const [doomed, other] = [worker(locks), worker(locks).remote];
    const gate = Promise.withResolvers<void>();
    void doomed.remote.hold('held', () => new Promise(() => undefined));
    const before = other.hold('wanted', () => gate.promise);
    await turns(5);
    void doomed.remote.hold('wanted', async () => expect.unreachable('it is dead'));
    await turns(5);
    const behind = [other.hold('held', async () => 'free'), locks.hold('wanted', async () => 'free')];
    doomed.kill();
    gate.resolve();
    await before;
    expect(await Promise.all(behind)).toEqual(['free', 'free']);
  });
});
