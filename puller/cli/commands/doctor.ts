// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';

export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what this machine can do, what is missing and how to get it')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExit status 0 if images can be run here, 1 if not.\n')
    .action(action(context, async () => (await import('../actions/doctor.ts')).examine));
}
