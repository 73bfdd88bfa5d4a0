// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { forwardSignals, type SignalSource } from './forward.ts';

function recorded() {
  const source = new EventEmitter();
  const calls: string[] = [];
  const instance = { signal: (number: number) => calls.push(String(number)), kill: () => calls.push('kill') };
  const undo = forwardSignals(instance as never, source as unknown as SignalSource);
  return { source, calls, undo };
}

test('signals go to the program by their numbers', () => {
  const { source, calls } = recorded();
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGTERM']) source.emit(name);
  expect(calls).toEqual(['15', '1', '10', '15']);
});

test('the second SIGINT kills', () => {
  const { source, calls } = recorded();
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(calls).toEqual(['2', 'kill']);
});

test('nothing is left behind', () => {
  const { source, undo } = recorded();
  undo();
  expect(source.eventNames()).toEqual([]);
});
