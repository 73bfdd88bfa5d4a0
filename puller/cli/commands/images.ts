// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
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
    .description('show an instance, or what an image is made of')
    .argument('<name>', 'an instance, else an image of the store; with --files also an image of a registry')
    .option('--json', 'print everything as JSON: state and settings, or manifest, config, profile, kernel')
    .addOption(new Option('--type <kind>', 'what is meant').choices(['instance', 'image']))
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--files', 'list the files of all layers together')
    .option(
      '--layer <number>',
      'with --files: those of one layer, from 0, and what it does to those below',
      layerNumber,
    )
    .option('--path <folder>', 'with --files: only what is below this folder')
    .option('--search <words>', 'with --files: only paths that hold all these words')
    .option('--plain-http', 'talk to the registry without TLS (default: only on this machine)')
    .addHelpText(
      'after',
      `
Examples:
  uk inspect localhost:5000/hello:1
  uk inspect --files --path usr/lib localhost:5000/hello:1
`,
    )
    .action(action(context, async () => (await import('../actions/images.ts')).inspect));
}

function layerNumber(text: string): number {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('layers are counted from 0');
}
