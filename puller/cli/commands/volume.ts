// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { parseMemory } from '../options/values.ts';
import { collectLabel } from '../volumes/label.ts';

export function addVolume(program: Command, context: CommandContext): void {
  const volume = program
    .command('volume')
    .description('named volumes: disks that stay when a guest has ended')
    .addHelpText(
      'after',
      `
A volume is a file with an ext4 file system, in the store. It takes on the host what is written to it.

Examples:
  uk volume create --size 2G data
  uk run -v data:/var/lib/x localhost:5000/server:1
  uk volume ls
  uk volume rm data
`,
    );
  volume
    .command('create')
    .description('make a volume; uk run -v makes one at its first use, too')
    .argument('[name]', 'its name (default: a random one)')
    .option('--size <size>', 'what it can hold, as in 512M or 20G (default: 10G)', parseMemory)
    .option('--label <key=value>', 'a note of your own (repeatable)', collectLabel)
    .option('--json', 'print the volume as JSON')
    .action(action(context, async () => (await import('../actions/volume.ts')).create));
  volume
    .command('ls')
    .alias('list')
    .description('list the volumes')
    .option('-q, --quiet', 'only the names')
    .option('--json', 'print the list as JSON')
    .action(action(context, async () => (await import('../actions/volume.ts')).list));
  volume
    .command('inspect')
    .description('show volumes: size, space taken on the host, whether a guest uses them')
    .argument('<volume...>', 'the volumes')
    .option('--json', 'print a list as JSON')
    .action(action(context, async () => (await import('../actions/volume.ts')).inspect));
  volume
    .command('rm')
    .alias('remove')
    .description('remove volumes with all that they hold; one that a guest uses stays')
    .argument('<volume...>', 'the volumes')
    .option('-f, --force', 'no failure for a volume that does not exist')
    .option('--json', 'print what was removed as JSON')
    .action(action(context, async () => (await import('../actions/volume.ts')).remove));
  volume
    .command('prune')
    .description('remove all volumes that no guest uses now, with all that they hold')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was removed as JSON')
    .action(action(context, async () => (await import('../actions/volume.ts')).prune));
}
