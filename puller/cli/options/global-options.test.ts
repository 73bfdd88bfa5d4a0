// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { describe as describeCommands } from '../commands/completion.ts';
import { createProgram } from '../program.ts';
import { commonOptions } from './global-options.ts';

/** What a command line sets, without running the command. */
function parsed(...argv: string[]) {
  const program = createProgram(() => {});
  let found: object | undefined;
  const stub = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    for (const child of command.commands) stub(child);
    if (command.commands.length === 0) {
      command.action((...args: unknown[]) => {
        found = commonOptions(args.at(-1) as Command);
      });
    }
  };
  stub(program);
  program.parse(argv, { from: 'user' });
  return found;
}

test.each([
  [['-q', '--store', '/s', 'images']],
  [['images', '-q', '--store', '/s']],
  [['-q', 'images', '--store', '/s']],
  [['kernel', 'build', '--quiet', '--store=/s']],
  [['kernel', '-q', 'build', '--store=/s']],
  [['run', '-q', '--store', '/s', 'image', '-q', '--store', '/of-the-program']],
])('global options before and behind a command: %j', (argv) => {
  expect(parsed(...argv)).toMatchObject({ quiet: true, store: '/s' });
});

test('the one that stands last wins', () => {
  expect(parsed('--store', '/a', 'images', '--store', '/b')).toMatchObject({ store: '/b' });
});

test('every command tells of them in its help and in completion', () => {
  const program = createProgram(() => {});
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(program).slice(1)) {
    expect([command.name(), command.helpInformation()]).toEqual([
      command.name(),
      expect.stringMatching(/Global Options:[\s\S]*--store <dir>[\s\S]*-q, --quiet/),
    ]);
  }
  for (const { path, options } of describeCommands(program)) {
    const flags = options.map(({ flag }) => flag);
    expect([path, flags]).toEqual([path, expect.arrayContaining(['--store', '-q', '--quiet', '--version'])]);
    expect(flags).not.toContain('--network');
  }
});

test.each([
  [['run', '--network', 'host', 'x'], /comes with networks/],
  [['run', '--nonsense', 'x'], /unknown option/],
])('what does not exist yet is refused by name: %j', (argv, message) => {
  expect(() => parsed(...argv)).toThrow(message);
});

test('what hands type out of habit is taken', () => {
  expect(parsed('run', '--rm', '-it', '--name', 'n', 'x')).toMatchObject({ rm: true, tty: true, interactive: true });
});
