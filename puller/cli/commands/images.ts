// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';

export function addImages(program: Command, context: CommandContext): void {
  program
    .command('images')
    .description('list the images of the store')
    .option('--json', 'print the list as JSON')
    .action(action(context, async () => (await import('../actions/images.ts')).listImages));
  program
    .command('rmi')
    .description('remove images from the store')
    .argument('<image...>', 'the images')
    .option('--json', 'print what was removed as JSON')
    .action(action(context, async () => (await import('../actions/images.ts')).removeImages));
  program
    .command('tag')
    .description('give an image of the store another name')
    .argument('<image>', 'an image of the store')
    .argument('<name>', 'the new name; one that is there is moved')
    .option('--json', 'print the result as JSON')
    .action(action(context, async () => (await import('../actions/images.ts')).tagImage));
  program
    .command('inspect')
    .description('show an instance, or what an image of the store is made of')
    .argument('<name>', 'an instance, else an image of the store')
    .option('--json', 'print everything as JSON: state and settings, or manifest, config, profile, kernel')
    .addOption(new Option('--type <kind>', 'what is meant').choices(['instance', 'image']))
    .option('--profile <name>', 'which image of an index (default: its first)')
    .action(action(context, async () => (await import('../actions/images.ts')).inspect));
}
