// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { InstanceView } from '../../../index.ts';
import { commandOf, portLines, sinceWords, statusWords } from './words.ts';

const NOW = Date.parse('2030-01-01T12:00:00Z');

test.each([
  ['2030-01-01T12:00:00Z', 'less than a second'],
  ['2030-01-01T11:59:59Z', '1 second'],
  ['2030-01-01T11:58:01Z', '1 minute'],
  ['2030-01-01T09:00:00Z', '3 hours'],
  ['2029-12-20T12:00:00Z', '12 days'],
  // A clock that was put back.
  ['2030-01-02T12:00:00Z', 'less than a second'],
])('%s is %s ago', (time, words) => expect(sinceWords(time, NOW)).toBe(words));

function view(changes: Partial<InstanceView>): InstanceView {
  return {
    status: 'running',
    startedAt: '2030-01-01T11:59:00Z',
    finishedAt: '2030-01-01T11:59:50Z',
    ...changes,
  } as InstanceView;
}

test.each([
  [{}, 'Up 1 minute'],
  [{ health: { status: 'starting', failures: 0, detail: '' } }, 'Up 1 minute (health: starting)'],
  [{ health: { status: 'unhealthy', failures: 3, detail: '' } }, 'Up 1 minute (unhealthy)'],
  [{ status: 'exited', end: { status: 3 } }, 'Exited (3) 10 seconds ago'],
  [{ status: 'restarting', end: { status: 1 } }, 'Restarting (1) 10 seconds ago'],
  [{ status: 'exited', end: { status: 255, reason: { code: 'SUPERVISOR_LOST', message: '' } } }, 'Lost (255)'],
  [{ status: 'created' }, 'Created'],
] as [Partial<InstanceView>, string][])('%j is "%s"', (changes, words) =>
  expect(statusWords(view(changes), NOW)).toBe(words),
);

test('a command shows no control character', () => {
  const config = { execution: { entrypoint: ['a\u001b[2J'], args: ['b'.repeat(50)] } };
  const shown = commandOf({ config } as unknown as InstanceView, true);
  expect(shown).toBe(`"a\\u001b[2J ${'b'.repeat(17)}…"`);
});

test('ports', () => {
  const forward = { address: '::1', host: 8080, guest: 80, protocol: 'tcp' as const };
  expect(portLines([forward], true)).toEqual(['80/tcp -> [::1]:8080']);
  expect(portLines([{ ...forward, address: '0.0.0.0' }], false)).toEqual(['0.0.0.0:8080']);
});
