// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { signalNumber } from './names.ts';

test.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['9', 9],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['SIGSTOP', 19],
])('%s', (text, number) => expect(signalNumber(text)).toBe(number));

test.each(['', '0', '65', '-1', 'SIGNOTHING', 'SIGRTMIN+40', '1.5', undefined])('%j is none', (text) =>
  expect(signalNumber(text)).toBeUndefined(),
);
