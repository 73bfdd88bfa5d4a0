// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';

export function addArchive(program: Command, context: CommandContext): void {
  program
    .command('save')
    .description('write images with their signatures to an archive, for machines without a network')
    .argument('<image...>', 'images of the store')
    .option('-o, --output <file>', 'the archive (default: standard output)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nThe archive is an OCI image layout; the same images give the same bytes.\n\nExamples:\n  uk save -o images.tar hello:1 db:7\n  uk save hello:1 | ssh edge uk load\n',
    )
    .action(action(context, async () => (await import('../actions/archive.ts')).save));
  program
    .command('load')
    .description('take images from an archive of uk save, docker save or podman save, or from a layout')
    .option('-i, --input <path>', 'the archive, or the folder of an OCI image layout (default: standard input)')
    .option('-t, --tag <name>', 'what to call the image, where there is one')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  uk load -i images.tar\n  uk load -i ./layout -t localhost/hello:1\n')
    .action(action(context, async () => (await import('../actions/archive.ts')).load));
}
