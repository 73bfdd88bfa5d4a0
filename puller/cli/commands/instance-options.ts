// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { addComing } from '../options/coming-options.ts';
import {
  parseDuration,
  parseHttpCheck,
  parsePort,
  parseRestart,
  parseSeconds,
  parseSignal,
} from '../options/instance-values.ts';
import {
  collectEnv,
  collectEnvFile,
  collectPort,
  parseCount,
  parseDiskSize,
  parseMemory,
  parseWatchdog,
} from '../options/values.ts';
import { addVolumeOptions } from '../options/volume-options.ts';

/** Adds what `uk run` and `uk create` have in common. */
export function addInstanceOptions(command: Command): Command {
  command
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
    .option('--rm', 'remove the instance when it has ended (in the foreground nothing is left anyway)')
    .option('--name <name>', 'a name for the instance (default: a random one)')
    .option('--read-only', 'the root takes no writes; /run, /tmp, /var/tmp and volumes do')
    .option('--disk <size>', 'a disk for what is written to the root, as in 2G (default: memory)', parseDiskSize)
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
    .option('--cidfile <file>', "write the instance's id to this file, which must not exist")
    .option(
      '--restart <policy>',
      'start the program again when it ends: no, on-failure[:N], always, unless-stopped (default: no)',
      parseRestart,
    )
    .option('--ttl <time>', 'stop it so long after its start, as in 10m or 2h', parseDuration)
    .option('--stop-signal <signal>', "what asks the program to end (default: the image's, else SIGTERM)", parseSignal)
    .option('--stop-timeout <seconds>', 'how long it may take to end until it is killed (default: 10)', parseSeconds)
    .option(
      '-i, --interactive',
      'give the program this standard input (default: an empty one); with -d: uk attach does',
    )
    .option('-t, --tty', 'give the program a terminal')
    .option('--no-agent', 'nothing can be done inside the guest: no exec, cp, top, --health-cmd')
    .option('--health-cmd <command>', 'it is healthy while this command line, run in the guest, exits with 0')
    .option('--no-healthcheck', "leave out the image's own health check")
    .option('--health-tcp <port>', 'it is healthy while this port of the guest keeps a connection', parsePort)
    .option('--health-http <[port]/path>', 'it is healthy while GET is answered below 400', parseHttpCheck)
    .option('--health-interval <time>', 'from check to check (default: 30s)', parseDuration)
    .option('--health-timeout <time>', 'how long a check may take (default: 5s)', parseDuration)
    .option('--health-retries <count>', 'failures in a row that make it unhealthy (default: 3)', parseCount)
    .option('--health-start-period <time>', 'failures so soon after the start do not count (default: 0)', parseDuration)
    .passThroughOptions();
  addVolumeOptions(command);
  addComing(command);
  return command;
}
