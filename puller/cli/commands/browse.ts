// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';

const PLAIN_HTTP = 'talk to the registry without TLS (default: only on this machine)';

export function addBrowse(program: Command, context: CommandContext): void {
  program
    .command('search')
    .description('find repositories of a registry')
    .argument('<text>', 'words of the name behind the registry, as in localhost:5000/hello; none: all')
    .addOption(new Option('--sort <order>', 'the order').choices(['name', 'pushed']).default('name'))
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the list as JSON')
    .addHelpText('after', '\nExamples:\n  uk search localhost:5000/hello\n  uk search --sort pushed localhost:5000/\n')
    .action(action(context, async () => (await import('../actions/search.ts')).search));
  program
    .command('ls')
    .description('list the tags of a repository of a registry')
    .argument('<repository>', 'as in localhost:5000/hello')
    .addOption(new Option('--sort <order>', 'the order').choices(['version', 'pushed', 'name']).default('version'))
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the list as JSON')
    .addHelpText('after', '\nExample:\n  uk ls localhost:5000/hello\n')
    .action(action(context, async () => (await import('../actions/list-tags.ts')).listTags));
  program
    .command('diff')
    .description('compare two images, of the store or of any registry')
    .argument('<from>', 'a reference, by tag or digest')
    .argument('<to>', 'a reference, by tag or digest')
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--all', 'print all files that differ, not only the first 100')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print everything as JSON')
    .addHelpText('after', '\nExample:\n  uk diff localhost:5000/hello:1 localhost:5000/hello:2\n')
    .action(action(context, async () => (await import('../actions/diff.ts')).diff));
}
