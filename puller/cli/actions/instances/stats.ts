// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { type InstanceStats, statsOfInstance } from '../../../instances/agent/index.ts';
import {
  findInstance,
  type InstanceView,
  isActive,
  listInstances,
  SHORT_ID,
  viewOf,
} from '../../../instances/lifecycle/index.ts';
import type { Session } from '../../context.ts';
import { formatBytes } from '../../output/bytes.ts';
import { formatTable } from '../../output/table.ts';

const INTERVAL_MS = 1_000;
const NOTHING = '--';

type Shown = InstanceStats & {
  /** Of one processor of this machine, since the last look. */
  cpuPercent: number | undefined;
};

export async function stats(session: Session, wanted: string[], flags: { stream?: boolean }): Promise<undefined> {
  const instances = await session.instancesFolder();
  const { signal, output } = session;
  const views = async (): Promise<InstanceView[]> => {
    if (wanted.length === 0) return (await listInstances(instances)).filter(isActive);
    return await Promise.all(wanted.map(async (name) => viewOf(await findInstance(instances, name))));
  };
  const look = async (): Promise<InstanceStats[]> =>
    await Promise.all((await views()).map((view) => statsOfInstance(instances, view)));
  let before = await look();
  const show = flags.stream === false ? undefined : await screen(output.json);
  for (;;) {
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return undefined;
    const now = await look();
    const shown = now.map((one) => withPercent(one, before));
    if (show === undefined) {
      output.result(shown, () => table(shown));
      return undefined;
    }
    show(output.json ? JSON.stringify(shown) : table(shown));
    if (wanted.length > 0 && now.every(({ monitor }) => monitor.memory === undefined)) return undefined;
    before = now;
  }
}

/** A terminal shows the last look only. */
async function screen(json: boolean): Promise<(text: string) => void> {
  if (json || !process.stdout.isTTY) return (text) => void process.stdout.write(`${text}\n`);
  const { createLogUpdate } = await import('log-update');
  return createLogUpdate(process.stdout);
}

function withPercent(now: InstanceStats, all: readonly InstanceStats[]): Shown {
  const before = all.find(({ id }) => id === now.id);
  const [then, at] = [before?.monitor.cpuSeconds, now.monitor.cpuSeconds];
  const seconds = (now.time - (before?.time ?? now.time)) / 1_000;
  const known = then !== undefined && at !== undefined && seconds > 0;
  return { ...now, cpuPercent: known ? Math.max(0, ((at - then) / seconds) * 100) : undefined };
}

function table(shown: readonly Shown[]): string {
  return formatTable(
    ['INSTANCE ID', 'NAME', 'CPU %', 'GUEST MEM / LIMIT', 'MONITOR MEM', 'NET I/O', 'BLOCK I/O', 'PROCESSES'],
    shown.map(({ id, name, cpuPercent, monitor, guest }) => [
      id.slice(0, SHORT_ID),
      name,
      cpuPercent === undefined ? NOTHING : `${cpuPercent.toFixed(1)} %`,
      pair(guest?.memoryUsed, guest?.memoryTotal),
      bytes(monitor.memory),
      pair(guest?.received, guest?.sent),
      pair(monitor.read, monitor.written),
      guest?.processes === undefined ? NOTHING : String(guest.processes),
    ]),
  );
}

function pair(one: number | undefined, other: number | undefined): string {
  return one === undefined && other === undefined ? NOTHING : `${bytes(one)} / ${bytes(other)}`;
}

function bytes(number: number | undefined): string {
  return number === undefined ? NOTHING : formatBytes(number);
}
