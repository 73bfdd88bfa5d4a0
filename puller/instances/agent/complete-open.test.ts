// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { completeOpen } from './complete-open.ts';

const PROGRAM = { args: ['/app'], env: ['A=1', 'B=2'], cwd: '/srv', user: 'web' };

test('a command has what the program has', () => {
  expect(
    completeOpen(
      [
        ['kind', 'exec'],
        ['arg', 'env'],
      ],
      PROGRAM,
    ),
  ).toEqual([
    ...[
      ['kind', 'exec'],
      ['arg', 'env'],
      ['env', 'A=1'],
      ['env', 'B=2'],
      ['cwd', '/srv'],
      ['user', 'web'],
    ],
  ]);
});

test('what is asked for goes before it', () => {
  const asked = [
    ['kind', 'exec'],
    ['arg', 'env'],
    ['env', 'B=3'],
    ['env', 'C=4'],
    ['cwd', '/'],
    ['user', '0'],
  ] as const;
  expect(completeOpen(asked, PROGRAM)).toEqual([
    ...[
      ['kind', 'exec'],
      ['arg', 'env'],
      ['cwd', '/'],
      ['user', '0'],
    ],
    ...[
      ['env', 'A=1'],
      ['env', 'B=3'],
      ['env', 'C=4'],
    ],
  ]);
});

test('what is no command is left as it is', () => {
  const asked = [['kind', 'stats']] as const;
  expect(completeOpen(asked, PROGRAM)).toBe(asked);
});
