// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { isRestarted, restartDelay } from './restart-policy.ts';

test.each([
  ['no', 1, 0, false],
  ['on-failure', 0, 0, false],
  ['on-failure', 1, 1_000, true],
  ['always', 0, 1_000, true],
  ['unless-stopped', 0, 1_000, true],
] as const)('%s after status %i and %i restarts: %s', (name, status, restarts, again) => {
  expect(isRestarted({ name }, { status }, restarts)).toBe(again);
});

test('on-failure:2 is done after two', () => {
  expect([0, 1, 2].map((restarts) => isRestarted({ name: 'on-failure', max: 2 }, { status: 1 }, restarts))).toEqual([
    ...[true, true, false],
  ]);
});

test('what cannot change is not tried again', () => {
  const reason = { code: 'IMAGE_UNSUPPORTED', message: '' };
  expect(isRestarted({ name: 'always' }, { status: 1, reason }, 0)).toBe(false);
});

test('pauses double up to a minute', () => {
  expect([0, 1, 2, 9, 10, 10_000].map(restartDelay)).toEqual([100, 200, 400, 51_200, 60_000, 60_000]);
});
