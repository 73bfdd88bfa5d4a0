// SPDX-License-Identifier: Apache-2.0
import { processesOfInstance } from '../../../instances/agent/index.ts';
import { findInstance } from '../../../instances/lifecycle/find.ts';
import type { Session } from '../../context.ts';
import { formatBytes } from '../../output/bytes.ts';
import { printable } from '../../output/printable.ts';
import { formatTable } from '../../output/table.ts';

export async function top(session: Session, wanted: string): Promise<undefined> {
  const processes = await processesOfInstance(await findInstance(await session.instancesFolder(), wanted));
  session.output.result(processes, () =>
    formatTable(
      ['UID', 'PID', 'PPID', 'STAT', 'ELAPSED', 'TIME', 'MEM', 'COMMAND'],
      processes.map(({ uid, pid, ppid, state, age, cpuSeconds, memory, command }) => [
        ...[String(uid), String(pid), String(ppid), printable(state)],
        ...[clock(age), clock(Math.floor(cpuSeconds)), formatBytes(memory), printable(command)],
      ]),
    ),
  );
  return undefined;
}

/** `1-02:03:04`, as ps(1) has it. */
function clock(seconds: number): string {
  const two = (number: number): string => String(Math.floor(number)).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const time = `${two((seconds % 86_400) / 3_600)}:${two((seconds % 3_600) / 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${time}` : time;
}
