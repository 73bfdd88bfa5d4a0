// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { endsMachine } from './effects.ts';

test.each<[NodeJS.Signals, boolean, boolean]>([
  ['SIGWINCH', false, false],
  ['SIGCONT', false, false],
  ['SIGURG', false, false],
  ['SIGCHLD', false, false],
  ['SIGTSTP', false, false],
  ['SIGUSR1', true, false],
  ['SIGUSR2', true, false],
  ['SIGINT', true, true],
  ['SIGTERM', true, true],
  ['SIGHUP', true, true],
  ['SIGQUIT', true, true],
  ['SIGKILL', true, true],
])('%s ends a machine that boots: %s, one that drains: %s', (name, booting, draining) => {
  const number = constants.signals[name];
  expect([endsMachine(number, 'booting'), endsMachine(number, 'draining')]).toEqual([booting, draining]);
});
