// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { type Attached, attachToInstance, exitStatus, forwardSignals } from '../../../instances/agent/index.ts';
import { findInstance } from '../../../instances/lifecycle/find.ts';
import type { Session } from '../../context.ts';
import { leaveOutput } from '../../output/broken-output.ts';
import { followSize, rawTerminal } from '../../terminal.ts';
import { DETACH_KEYS, parseDetachKeys, watchKeys } from './detach-keys.ts';

export interface AttachFlags {
  stdin?: boolean;
  sigProxy?: boolean;
  detachKeys?: string;
}

export async function attach(session: Session, wanted: string, flags: AttachFlags): Promise<number> {
  const keys = parseDetachKeys(flags.detachKeys ?? DETACH_KEYS);
  const folder = await findInstance(await session.instancesFolder(), wanted);
  let restore = (): void => {};
  let attached: Attached | undefined;
  let detached = false;
  leaveOutput();
  const leave = (): void => {
    detached = true;
    attached?.session.leave();
  };
  try {
    attached = await attachToInstance(folder, ({ terminal, takesInput }) => {
      let stdin: Readable | undefined;
      if (takesInput && flags.stdin !== false) {
        stdin = process.stdin;
        if (terminal && process.stdin.isTTY) {
          restore = rawTerminal();
          stdin = process.stdin.pipe(watchKeys(keys, leave));
        }
      }
      return { stdin, stdout: process.stdout, stderr: process.stderr };
    });
    const { session: joined, terminal } = attached;
    if (terminal) followSize((size) => joined.resize(size));
    const signal = flags.sigProxy === false ? () => joined.leave() : (number: number) => joined.signal(number);
    const undo = forwardSignals({ signal, kill: () => joined.leave() }, process);
    const end = await joined.ended.finally(undo);
    return end.kind === 'ended' ? exitStatus(end.end) : 0;
  } finally {
    restore();
    // A terminal that is still read would keep this process.
    process.stdin.unpipe().pause();
    process.stdin.unref?.();
    if (detached) session.output.note(`uk: detached; ${wanted} goes on`);
  }
}
