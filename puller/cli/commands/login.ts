// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';

export function addLogin(program: Command, context: CommandContext): void {
  program
    .command('login')
    .description('log in to a registry, or to a namespace of one')
    .argument('<registry>', 'HOST[:PORT][/NAMESPACE]')
    .option('-u, --username <name>', 'who logs in (default: asked for)')
    .option('--password-stdin', 'read the password from standard input (default: asked for)')
    .option('--plain-http', 'talk to the registry without TLS (default: only on this machine)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  uk login registry.example\n  uk login -u deploy --password-stdin registry.example/team < token\n',
    )
    .action(action(context, async () => (await import('../actions/login.ts')).login));
  program
    .command('logout')
    .description('forget a login')
    .argument('<registry>', 'HOST[:PORT][/NAMESPACE]')
    .option('--json', 'print the result as JSON')
    .action(action(context, async () => (await import('../actions/login.ts')).logout));
}
