// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';

export function addLibc(program: Command, context: CommandContext): void {
  const libc = program.command('libc').description('ring0-musl, a libc whose system calls are function calls');
  libc
    .command('build')
    .description('build it and say where it is; what was built before is there at once')
    .option('--fetch', "ask the distribution for musl's source again, which may be a newer one")
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
A program that is linked dynamically against musl gets it in its image, without being linked anew:
  uk build -t localhost:5000/tool:1 --app ./tool --libc ring0-musl

A static one is linked with it, by the compiler that this command names, and needs no --libc:
  $(uk libc build) -static -O2 -o tool tool.c
  uk build -t localhost:5000/tool:1 --app ./tool

Elsewhere than in ring 0 the same program makes its system calls as any other. uk doctor says what a build needs.
`,
    )
    .action(action(context, async () => (await import('../actions/libc.ts')).buildLibcOf));
}
