// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { parseReference } from '../../../image-format/index.ts';
import type { ContentStore } from '../../../image-format/layout/index.ts';
import type { Bootable } from '../../index.ts';
import { action, type CommandContext, type Session } from '../context.ts';
import { collectEnv, collectPort, type PortForward, parseCount, parseMemory } from '../options.ts';
import { canonicalName, resolveLocal } from '../references.ts';
import { pull } from '../transfer.ts';

interface RunFlags {
  env?: string[];
  publish?: PortForward[];
  memory?: number;
  cpus?: number;
  console?: boolean;
  interactive?: boolean;
  entrypoint?: string;
  user?: string;
  workdir?: string;
  hostname?: string;
  profile?: string;
  pull: 'missing' | 'always' | 'never';
  accel?: string;
  plainHttp?: boolean;
}

export function addRun(program: Command, context: CommandContext): void {
  program
    .command('run')
    .description('boot an image in the foreground: its output, its exit status')
    .argument('<image>', 'an image; it is pulled if the store does not hold it')
    .argument('[args...]', 'arguments of the program, instead of those in the image')
    .option('-e, --env <name=value>', 'environment variable of the program (repeatable)', collectEnv)
    .option(
      '-p, --publish <[addr:]host:guest>',
      'forward a port of this machine (repeatable); 0 lets the system choose',
      collectPort,
    )
    .option('-m, --memory <size>', "memory of the guest, as in 128M (default: the profile's)", parseMemory)
    .option('--cpus <count>', "processors of the guest (default: the profile's)", parseCount)
    .option('-i, --interactive', 'give the program this standard input (default: an empty one)')
    .option('--console', "show the kernel's log on standard error")
    .option('--entrypoint <program>', "run this instead of the image's program")
    .option('-u, --user <user[:group]>', 'who the program runs as')
    .option('-w, --workdir <dir>', 'working directory of the program')
    .option('--hostname <name>', "the guest's name (default: the instance's id)")
    .option('--profile <name>', 'which image of an index (default: its first)')
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
    .option('--plain-http', 'talk to the registry without TLS (default: only on this machine)')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Standard output and error are the program's, byte for byte, and so is the exit status; 128 + N if signal N ended it.

Examples:
  uk run localhost:5000/hello:1
  uk run -p 8080:80 localhost:5000/nginx:1
  uk run -i -m 256M --cpus 2 localhost:5000/python:1 -- -c 'print(input())' < words.txt
`,
    )
    .action(action(context, run));
}

async function run(session: Session, image: string, args: string[], flags: RunFlags): Promise<number> {
  const [{ runInstance }, bootable] = await Promise.all([import('../../index.ts'), prepare(session, image, flags)]);
  // From here on SIGINT and SIGTERM are the program's.
  session.releaseSignals();
  const rest = args[0] === '--' ? args.slice(1) : args;
  const outcome = await runInstance(bootable, {
    args: rest.length === 0 ? undefined : rest,
    entrypoint: flags.entrypoint === undefined ? undefined : [flags.entrypoint],
    env: flags.env,
    user: flags.user,
    workingDir: flags.workdir,
    hostname: flags.hostname,
    memory: flags.memory,
    cpus: flags.cpus,
    forwards: flags.publish,
    accelerator: flags.accel,
    stdin: flags.interactive ? process.stdin : 'empty',
    stdout: process.stdout,
    stderr: process.stderr,
    console: flags.console ? process.stderr : undefined,
    onInstance: (instance) => {
      if (flags.publish?.some(({ host }) => host === 0)) {
        void instance.forwards().then((forwards) => {
          for (const { address, host, guest, protocol } of forwards) {
            session.output.note(`uk: ${address}:${host} is forwarded to port ${guest} (${protocol})`);
          }
        });
      }
    },
    onEvent: (event) => {
      if (event.type === 'probing') session.output.note('uk: finding out once how guests run best on this machine');
    },
  });
  if (outcome.failure !== undefined) session.output.note(`uk: ${outcome.failure.message}`);
  return outcome.status;
}

async function prepare(session: Session, image: string, flags: RunFlags): Promise<Bootable> {
  const store = await session.openStore();
  await fetchIfWanted(session, store, image, flags);
  const { descriptor } = await resolveLocal(store, image);
  const { assemble } = await import('../../index.ts');
  return assemble(store, descriptor, {
    signal: session.signal,
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
  });
}

async function fetchIfWanted(session: Session, store: ContentStore, image: string, flags: RunFlags): Promise<void> {
  if (flags.pull === 'never') return;
  if (flags.pull === 'missing' && (await store.resolve(canonicalName(image))) !== undefined) return;
  await pull(session, store, parseReference(image), flags);
}
