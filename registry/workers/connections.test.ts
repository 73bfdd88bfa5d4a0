// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { Connections } from './connections.ts';
import { Questions } from './questions.ts';
import { Worker } from './worker.ts';

/** A process that says what a test makes it say. */
class FakeProcess extends EventEmitter {
  readonly pid: number | undefined;
  connected = true;
  /** Numbers of the connections that it was sent. */
  readonly given: number[] = [];

  constructor(pid: number | undefined) {
    super();
    this.pid = pid;
  }

  send({ type, id }: { type: string; id: number }): void {
    if (type === 'connection') this.given.push(id);
  }

  accept(): void {
    for (const id of this.given) this.emit('message', { type: 'accepted', id });
  }
}

function worker(pid?: number): { child: FakeProcess; worker: Worker } {
  const child = new FakeProcess(pid);
  return { child, worker: new Worker(child as unknown as ChildProcess, undefined, async () => []) };
}

describe('a worker process', () => {
  test('that could not be started is gone, and was never ready', async () => {
    const { child, worker: never } = worker();
    child.emit('error', new Error('spawn EAGAIN'));
    expect(await never.gone).toBe('spawn EAGAIN');
    await expect(never.ready).rejects.toThrow(/spawn EAGAIN/);
  });

  test('that ended is gone when all that it said was heard', async () => {
    const { child, worker: ended } = worker(1);
    const socket = { destroy: vi.fn() };
    ended.give(socket as unknown as Socket);
    child.emit('exit', 1, null);
    child.accept();
    child.connected = false;
    child.emit('disconnect');
    expect(await ended.gone).toBe('status 1');
    expect([ended.leftovers(), socket.destroy.mock.calls.length]).toEqual([[], 1]);
  });
});

describe('connections', () => {
  test('pass a worker over that does not take them', async () => {
    const connections = new Connections();
    const [stopped, works] = [worker(1), worker(2)];
    connections.add(stopped.worker);
    connections.add(works.worker);
    const { port } = await connections.listen({ host: '127.0.0.1', port: 0 });
    for (let at = 0; at < 10; at += 1) {
      const total = stopped.child.given.length + works.child.given.length;
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      await vi.waitFor(() => expect(stopped.child.given.length + works.child.given.length).toBe(total + 1));
      works.child.accept();
      socket.destroy();
    }
    expect(stopped.child.given).toHaveLength(1);
    connections.close();
    stopped.child.accept();
  });
});

describe('a question', () => {
  test('that nobody answers has an end', async () => {
    vi.useFakeTimers();
    try {
      const questions = new Questions<string>(1_000);
      const [first, second] = [questions.ask(() => undefined), questions.ask((id) => questions.answered(id, 'yes'))];
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await Promise.all([first, second])).toEqual([undefined, 'yes']);
    } finally {
      vi.useRealTimers();
    }
  });
});
