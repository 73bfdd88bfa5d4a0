// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { collectEnv, collectEnvFile } from '../options/values.ts';

const INSTANCE = 'a name, an id, or the beginning of an id';

/** What is done inside of instances, by the agent in their guests. */
export function addInside(program: Command, context: CommandContext): void {
  program
    .command('exec')
    .description('run a command in the guest of an instance')
    .argument('<instance>', INSTANCE)
    .argument('<command>', 'a program of the guest')
    .argument('[args...]', 'its arguments')
    .option('-i, --interactive', 'give it this standard input (default: an empty one)')
    .option('-t, --tty', 'give it a terminal')
    .option('-d, --detach', 'leave it alone when it runs; its output is thrown away')
    .option('-e, --env <name=value>', 'environment variable, beside those of the program (repeatable)', collectEnv)
    .option('--env-file <file>', 'environment variables from a file, one a line (repeatable)', collectEnvFile)
    .option('-u, --user <user[:group]>', "who it runs as (default: as the instance's program)")
    .option('-w, --workdir <dir>', "its working directory (default: that of the instance's program)")
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Standard output and error are the command's, byte for byte, and so is the exit status; 127 if there is no such command,
126 if it cannot be executed. When this command ends early, so does the one in the guest.

Examples:
  uk exec web cat /etc/hostname
  uk exec -it web sh
  uk exec -i -u postgres db psql < dump.sql
`,
    )
    .action(action(context, async () => (await import('../actions/instances/exec.ts')).exec));
  program
    .command('attach')
    .description("join the standard streams of an instance's program")
    .argument('<instance>', INSTANCE)
    .option('--no-stdin', 'give it no input')
    .option('--no-sig-proxy', 'keep signals here instead of passing them on to the program')
    .option('--detach-keys <keys>', 'what leaves a program with a terminal alone (default: ctrl-p,ctrl-q)')
    .action(action(context, async () => (await import('../actions/instances/attach.ts')).attach));
  program
    .command('cp')
    .description('copy files out of the guest of an instance, or into it')
    .argument('<from>', 'INSTANCE:PATH, a path of this machine, or - for a tar archive on standard input')
    .argument('<to>', 'a path of this machine, - for a tar archive on standard output, or INSTANCE:PATH')
    .option('-a, --archive', 'keep owners (default: whoever copies; in the guest root)')
    .option('-L, --follow-link', 'copy what a link leads to')
    .action(action(context, async () => (await import('../actions/instances/copy.ts')).copy));
  program
    .command('stats')
    .description('show what instances use')
    .argument('[instance...]', 'names, ids, or beginnings of ids (default: all that run)')
    .option('--no-stream', 'show it once')
    .option('--json', 'one JSON array a look')
    .action(action(context, async () => (await import('../actions/instances/stats.ts')).stats));
  program
    .command('top')
    .description('list the processes in the guest of an instance')
    .argument('<instance>', INSTANCE)
    .option('--json', 'print the list as JSON')
    .action(action(context, async () => (await import('../actions/instances/top.ts')).top));
}
