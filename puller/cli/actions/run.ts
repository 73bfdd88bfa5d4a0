// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '../../../image-format/index.ts';
import type { ContentStore } from '../../../image-format/layout/index.ts';
import type { Bootable } from '../../index.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import type { PortForward } from '../options.ts';
import { assemblyProgress } from '../output/assembly-progress.ts';
import { leaveOutput } from '../output/broken-output.ts';
import { canonicalName, resolveLocal } from '../references.ts';
import { openStorage, type StorageFlags } from '../run-storage.ts';
import { pull } from '../transfer.ts';

export interface RunFlags extends StorageFlags {
  env?: string[];
  envFile?: string[];
  tty?: boolean;
  rm?: boolean;
  name?: string;
  publish?: PortForward[];
  memory?: number;
  cpus?: number;
  hugePages?: 'off' | '2M' | '1G';
  prefault?: boolean;
  console?: boolean;
  interactive?: boolean;
  entrypoint?: string;
  user?: string;
  workdir?: string;
  hostname?: string;
  profile?: string;
  kernel?: string;
  pull: 'missing' | 'always' | 'never';
  accel?: string;
  watchdog?: number;
  plainHttp?: boolean;
}

export async function run(session: Session, image: string, args: string[], flags: RunFlags): Promise<number> {
  const [{ runInstance }, bootable] = await Promise.all([import('../../index.ts'), prepare(session, image, flags)]);
  const storage = await openStorage(session, flags);
  noteHabits(session, flags);
  // From here on SIGINT and SIGTERM are the program's, and so are the outputs.
  session.releaseSignals();
  leaveOutput();
  const rest = args[0] === '--' ? args.slice(1) : args;
  const outcome = await runInstance(bootable, {
    args: rest.length === 0 ? undefined : rest,
    entrypoint: flags.entrypoint === undefined ? undefined : [flags.entrypoint],
    // As with container engines, what the command line says goes before what files say.
    env: [...(flags.envFile ?? []), ...(flags.env ?? [])],
    user: flags.user,
    workingDir: flags.workdir,
    hostname: flags.hostname,
    memory: flags.memory,
    cpus: flags.cpus,
    hugePages: flags.hugePages,
    prefault: flags.prefault,
    forwards: flags.publish,
    accelerator: flags.accel,
    watchdogMs: flags.watchdog,
    mounts: storage.mounts,
    readOnly: storage.readOnly,
    scratch: storage.scratch,
    stdin: flags.interactive ? process.stdin : 'empty',
    stdout: process.stdout,
    stderr: process.stderr,
    console: flags.console ? process.stderr : undefined,
    onInstance: (instance) => {
      if (flags.publish?.some(({ host }) => host === 0)) {
        instance.forwards().then(
          (forwards) => {
            for (const { address, host, guest, protocol } of forwards) {
              session.output.note(`uk: ${address}:${host} is forwarded to port ${guest} (${protocol})`);
            }
          },
          // A machine that has ended says so itself.
          () => {},
        );
      }
    },
    onEvent: (event) => {
      if (event.type === 'probing') session.output.note('uk: finding out once how guests run best on this machine');
      if (event.type === 'out-of-memory') {
        session.output.note('uk: the guest has no memory left, and its kernel killed a process: give it more (-m)');
      }
      if (event.type === 'revived') session.output.note(`uk: ${event.text}`);
    },
  }).finally(storage.close);
  if (outcome.failure !== undefined) session.output.problem(`uk: ${outcome.failure.message}`);
  return outcome.status;
}

/** Options that are taken so that a habit does not fail, and do not do yet what they say. */
function noteHabits({ output }: Session, { tty, name }: RunFlags): void {
  if (tty) output.note('uk: -t has no effect yet: the program gets no terminal');
  if (name !== undefined) output.note('uk: --name has no effect yet: names come with background instances');
}

async function prepare(session: Session, image: string, flags: RunFlags): Promise<Bootable> {
  const store = await session.openStore();
  await fetchIfWanted(session, store, image, flags);
  const { descriptor } = await resolveLocal(store, image);
  const { assemble } = await import('../../index.ts');
  const shown = assemblyProgress(session);
  let supplied = false;
  try {
    const bootable = await assemble(store, descriptor, {
      signal: session.signal,
      profile: flags.profile,
      kernel: async () => {
        supplied = true;
        const { supplyKernel } = await import('../supplied-kernel.ts');
        return supplyKernel(session, store, flags);
      },
      onProgress: shown.onProgress,
    });
    if (flags.kernel !== undefined && !supplied) {
      throw new CliError('USAGE', 'the image has a kernel of its own: --kernel is for plain container images', {
        hint: 'leave it out, or build the image again with uk build --kernel',
      });
    }
    return bootable;
  } finally {
    shown.close();
  }
}

async function fetchIfWanted(session: Session, store: ContentStore, image: string, flags: RunFlags): Promise<void> {
  if (flags.pull === 'never') return;
  if (flags.pull === 'missing' && (await store.resolve(canonicalName(image))) !== undefined) return;
  await pull(session, store, parseReference(image), flags);
}
