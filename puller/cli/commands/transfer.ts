// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';

const PLAIN_HTTP = 'talk to the registry without TLS (default: only on this machine)';

export function addTransfer(program: Command, context: CommandContext): void {
  program
    .command('push')
    .description('send an image to a registry')
    .argument('<image>', 'an image of the store')
    .argument('[destination]', 'under another name (default: its own)')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  uk push localhost:5000/hello:1\n  uk push hello registry.example/hello:1\n')
    .action(action(context, async () => (await import('../actions/transfer.ts')).pushImage));
  program
    .command('pull')
    .description('fetch an image from a registry, verified')
    .argument('<image>', 'a reference, by tag or digest')
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  uk pull localhost:5000/hello:1\n')
    .action(action(context, async () => (await import('../actions/transfer.ts')).pullImage));
}
