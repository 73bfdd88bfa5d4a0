// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { CommandError, runCommand } from './command.ts';
import { isAlive, processIdentity } from './process-identity.ts';

test('gives the output', async () => {
  expect(await runCommand('printf', ['a\nb'])).toBe('a\nb');
});

test('gives the lines as they come, of output and error, the last one whole or not', async () => {
  const lines: string[] = [];
  await runCommand('sh', ['-c', 'echo one; echo two >&2; printf three'], { onLine: (line) => lines.push(line) });
  expect(lines.sort()).toEqual(['one', 'three', 'two']);
});

test('what it sees of the environment is plain', async () => {
  process.env.MAKEFLAGS = '-j9';
  try {
    expect(await runCommand('env', [])).not.toContain('MAKEFLAGS');
  } finally {
    delete process.env.MAKEFLAGS;
  }
});

test('another status is an error with the last lines', async () => {
  await expect(runCommand('sh', ['-c', 'echo why >&2; exit 3'])).rejects.toMatchObject({
    name: 'CommandError',
    message: 'sh ended with status 3',
    tail: ['why'],
  });
});

test('a command that is not there is an error', async () => {
  await expect(runCommand('/none/such', [])).rejects.toBeInstanceOf(CommandError);
});

test('aborting ends all processes of the command', async () => {
  const controller = new AbortController();
  const child = Promise.withResolvers<number>();
  const run = runCommand('sh', ['-c', 'sleep 60 & echo $!; wait'], {
    signal: controller.signal,
    onLine: (line) => child.resolve(Number(line)),
  });
  const sleeper = processIdentity(await child.promise) ?? '';
  expect(isAlive(sleeper)).toBe(true);
  controller.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  await expect.poll(() => isAlive(sleeper)).toBe(false);
});

test('does not start what is aborted already', async () => {
  await expect(runCommand('true', [], { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
});
