// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { addComing } from '../coming-options.ts';
import { action, type CommandContext } from '../context.ts';
import {
  collectEnv,
  collectEnvFile,
  collectPort,
  parseCount,
  parseDiskSize,
  parseMemory,
  parseWatchdog,
} from '../options.ts';
import { addVolumeOptions } from '../volume-options.ts';

export function addRun(program: Command, context: CommandContext): void {
  const run = program
    .command('run')
    .description('boot an image in the foreground: its output, its exit status')
    .argument('<image>', 'an image; it is pulled if the store does not hold it')
    .argument('[args...]', 'arguments of the program, instead of those in the image')
    .option('-e, --env <name=value>', 'environment variable of the program (repeatable)', collectEnv)
    .option('--env-file <file>', 'environment variables from a file, one a line (repeatable)', collectEnvFile)
    .option(
      '-p, --publish <[addr:]host:guest>',
      'forward a port of this machine, or a range (repeatable); 0 lets the system choose',
      collectPort,
    )
    .option('-m, --memory <size>', "memory of the guest, as in 128M (default: the profile's)", parseMemory)
    .option('--cpus <count>', "processors of the guest (default: the profile's)", parseCount)
    .addOption(
      new Option(
        '--huge-pages <size>',
        "huge pages of this machine as the guest's memory (default: the profile's)",
      ).choices(['off', '2M', '1G']),
    )
    .option('--prefault', "have all of the guest's memory before it starts (default: the profile's)")
    .option('--no-prefault', 'give it memory as it needs it')
    .option('-i, --interactive', 'give the program this standard input (default: an empty one)')
    .option('-t, --tty', 'accepted; the program gets no terminal yet')
    .option('--rm', 'accepted; nothing is left of an instance anyway')
    .option('--name <name>', 'accepted; names come with background instances')
    .option('--read-only', 'the root takes no writes; /run, /tmp, /var/tmp and volumes do')
    .option('--disk <size>', 'a disk for what is written to the root, as in 2G (default: memory)', parseDiskSize)
    .option('--console', "show the kernel's log on standard error")
    .option('--entrypoint <program>', "run this instead of the image's program")
    .option('-u, --user <user[:group]>', 'who the program runs as')
    .option('-w, --workdir <dir>', 'working directory of the program')
    .option('--hostname <name>', "the guest's name (default: the instance's id)")
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--kernel <ref>', 'kernel image for a plain container image (default: one of the store, else built here)')
    .addOption(
      new Option('--pull <when>', 'whether to fetch the image first')
        .choices(['missing', 'always', 'never'])
        .default('missing'),
    )
    .addOption(
      new Option('--accel <kind>', 'how the processor is made (default: $UK_ACCEL, else what works here)').choices([
        'auto',
        'kvm',
        'tcg',
      ]),
    )
    .option(
      '--watchdog <time>',
      'how long the guest may fail to answer until it is given up, as in 30s; or off (default: 60s)',
      parseWatchdog,
    )
    .option('--plain-http', 'talk to the registry without TLS (default: only on this machine)')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Standard output and error are the program's, byte for byte, and so is the exit status; 128 + N if signal N ended it,
124 if the guest stopped answering.

Examples:
  uk run localhost:5000/hello:1
  uk run -p 8080:80 localhost:5000/nginx:1
  uk run -p '[::1]:8080:80' -p 9000-9003:9000-9003 --env-file ./settings localhost:5000/server:1
  uk run -v data:/var/lib/postgresql -p 5432:5432 --kernel localhost:5000/kernels/general:6.12 docker.io/library/postgres:17
  uk run --read-only --tmpfs /cache:size=64m -v ./site:/srv:ro localhost:5000/nginx:1
  uk run -i -m 256M --cpus 2 localhost:5000/python:1 -- -c 'print(input())' < words.txt
`,
    )
    .action(action(context, async () => (await import('../actions/run.ts')).run));
  addVolumeOptions(run);
  addComing(run);
}
