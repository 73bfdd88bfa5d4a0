// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { howItEnded } from './crash.ts';

const reset = { code: 0, signal: null, complaint: '' };

test.each([
  [
    '[    0.3] Kernel panic - not syncing: Attempted to kill init! exitcode=0x4\n[ 0.4] Call Trace:',
    /panicked: Attempted/,
  ],
  ['[    0.3] Kernel panic - not syncing: Oops\n[    0.4] reboot: Restarting system', /panicked: Oops/],
  ['[    0.4] reboot: Restarting system', /restarted the machine/],
  ['[    0.1] Run /.uk/init as init process', /without a word/],
  ['', /without a word/],
])('%j', (log, how) => expect(howItEnded(reset, log)).toMatch(how));

test('a monitor that was killed says so before its guest does', () => {
  expect(howItEnded({ code: null, signal: 'SIGKILL', complaint: '' }, 'Kernel panic - not syncing: x')).toBe(
    'the monitor got SIGKILL',
  );
});
