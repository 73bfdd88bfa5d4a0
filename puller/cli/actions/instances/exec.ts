// SPDX-License-Identifier: Apache-2.0

import { ExecError, execInInstance, exitStatus, forwardSignals } from '../../../instances/agent/index.ts';
import { findInstance } from '../../../instances/lifecycle/find.ts';
import type { Session } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { leaveOutput } from '../../output/broken-output.ts';
import { followSize, rawTerminal, terminalSize } from '../../terminal.ts';

export interface ExecFlags {
  interactive?: boolean;
  tty?: boolean;
  detach?: boolean;
  env?: string[];
  envFile?: string[];
  user?: string;
  workdir?: string;
}

/** The command was killed because nobody waited for it any more: 128 + SIGKILL. */
const LEFT = 137;

export async function exec(
  session: Session,
  wanted: string,
  command: string,
  args: string[],
  flags: ExecFlags,
): Promise<number> {
  const { interactive, tty, detach } = flags;
  if (detach && interactive) {
    throw new CliError('USAGE', '-i and -d contradict each other: nobody is there to type', { hint: 'leave out one' });
  }
  const folder = await findInstance(await session.instancesFolder(), wanted);
  const restore = interactive && tty ? rawTerminal() : () => {};
  leaveOutput();
  try {
    const running = await execInInstance(
      folder,
      {
        args: [command, ...args],
        env: [...(flags.envFile ?? []), ...(flags.env ?? [])],
        workingDir: flags.workdir,
        user: flags.user,
        terminal: tty ? terminalSize() : undefined,
        detach,
      },
      { stdin: interactive ? process.stdin : undefined, stdout: process.stdout, stderr: process.stderr },
    );
    if (tty) followSize((size) => running.resize(size));
    const undo = forwardSignals({ signal: (number) => running.signal(number), kill: () => running.leave() }, process);
    const end = await running.ended.finally(undo);
    if (end.kind === 'ended') return exitStatus(end.end);
    return detach ? 0 : LEFT;
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    session.output.failure(error);
    return error.status;
  } finally {
    restore();
  }
}
