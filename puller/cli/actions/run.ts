// SPDX-License-Identifier: Apache-2.0
import { prepare } from '../bootable.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { executionChoice, type RunFlags } from '../options/instance-options.ts';
import { leaveOutput } from '../output/broken-output.ts';
import { openStorage } from '../run-storage.ts';
import { followSize, rawTerminal, terminalSize } from '../terminal.ts';

export async function run(session: Session, image: string, args: string[], flags: RunFlags): Promise<number> {
  if (flags.detach) return await (await import('./instances/run-detached.ts')).runDetached(session, image, args, flags);
  checkForeground(flags);
  const [{ runInstance }, { bootable }] = await Promise.all([import('../../index.ts'), prepare(session, image, flags)]);
  const storage = await openStorage(session, flags);
  noteHabits(session, flags);
  // From here on SIGINT and SIGTERM are the program's, and so are the outputs.
  session.releaseSignals();
  leaveOutput();
  const restoreTerminal = flags.tty && flags.interactive ? rawTerminal() : () => {};
  const outcome = await runInstance(bootable, {
    ...executionChoice(args, flags),
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
    terminal: flags.tty ? terminalSize() : undefined,
    stdout: process.stdout,
    stderr: process.stderr,
    console: flags.console ? process.stderr : undefined,
    onInstance: (instance) => {
      if (flags.tty) followSize((size) => instance.resize(size));
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
  }).finally(() => {
    restoreTerminal();
    return storage.close();
  });
  if (outcome.failure !== undefined) session.output.problem(`uk: ${outcome.failure.message}`);
  return outcome.status;
}

/** Options that are taken so that a habit does not fail, and do not do yet what they say. */
function noteHabits({ output }: Session, { name }: RunFlags): void {
  if (name !== undefined) output.note('uk: --name has no effect in the foreground: names are for -d');
}

/** @throws CliError `USAGE` for what only makes sense where nobody watches */
function checkForeground(flags: RunFlags): void {
  const given = [
    ['--restart', flags.restart],
    ['--cidfile', flags.cidfile],
    ['--ttl', flags.ttl],
    ['--health-cmd', flags.healthCmd],
    ['--health-tcp', flags.healthTcp],
    ['--health-http', flags.healthHttp],
  ].find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new CliError('USAGE', `${given[0]} is for instances in the background`, { hint: 'add -d' });
}
