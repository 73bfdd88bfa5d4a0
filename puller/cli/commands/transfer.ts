// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { parseCount, parseDuration, parseRate } from '../options/values.ts';

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
  pullOptions(
    program
      .command('pull')
      .description('fetch images from a registry, verified; goes on where it was cut')
      .argument('<image...>', 'references, by tag or digest'),
  )
    .addHelpText('after', PULL_EXAMPLES)
    .action(action(context, async () => (await import('../actions/transfer.ts')).pullImages));
  pullOptions(
    program
      .command('prefetch')
      .description('fetch images ahead of their use, and leave their tags as they are')
      .argument('<image...>', 'references, by tag or digest'),
  )
    .addHelpText('after', '\nExample:\n  uk prefetch --limit-rate 500K registry.example/hello:2\n')
    .action(action(context, async () => (await import('../actions/transfer.ts')).prefetchImages));
}

const PULL_EXAMPLES = `
Examples:
  uk pull localhost:5000/hello:1
  uk pull --limit-rate 2M --timeout 1h registry.example/hello:2 registry.example/db:7
`;

function pullOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--limit-rate <rate>', 'bytes a second for everything together, as in 500K or 2M', parseRate)
    .option('--timeout <time>', 'give up after this time, as in 30m (default: never)', parseDuration)
    .option('--read-timeout <time>', 'how long a registry may send nothing (default: 60s)', parseDuration)
    .option('--connections <count>', 'transfers at once (default: 4 to 16, as the line is)', parseCount)
    .option('--hosts-dir <dir>', 'where <host>/hosts.toml names mirrors (default: $UK_HOSTS_DIR, else see the docs)')
    .option('--no-signatures', 'leave the signatures of the images where they are')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON');
}
