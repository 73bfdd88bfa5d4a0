// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isHeld, isHeldStatus, registersOf } from './inspect.ts';

test.each([
  ['VM status: running\r\n', false],
  ['VM status: paused\r\n', true],
  ['VM status: paused (debug)\r\n', true],
  ['VM status: paused (prelaunch)\r\n', true],
  // KVM could not go on with it: nobody wants that.
  ['VM status: paused (internal-error)\r\n', false],
  ['VM status: paused (guest-panicked)\r\n', false],
  ['', false],
])('%j', (text, held) => expect(isHeldStatus(text)).toBe(held));

test('a monitor that is stopped holds its machine, and is not asked', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  try {
    expect(await isHeld(pid, async () => 'VM status: running')).toBe(false);
    child.kill('SIGSTOP');
    const unasked = (): Promise<string> => expect.unreachable('it was asked');
    await expect.poll(() => isHeld(pid, unasked).catch(() => false)).toBe(true);
  } finally {
    child.kill('SIGKILL');
  }
});

test('a machine runs on after its registers were read, even where that failed', async () => {
  const lines: string[] = [];
  const command = async (line: string): Promise<string> => {
    lines.push(line);
    if (line === 'info registers -a') throw new Error('refused');
    return '';
  };
  await expect(registersOf(command)).rejects.toThrow('refused');
  expect(lines).toEqual(['stop', 'info registers -a', 'cont']);
});
