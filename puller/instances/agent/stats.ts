// SPDX-License-Identifier: Apache-2.0
import { reportOfGuest } from '../files/transfer.ts';
import type { InstanceView } from '../lifecycle/view.ts';
import { InstanceFolder } from '../state/instance-folder.ts';
import {
  type GuestProcess,
  type GuestStats,
  type MonitorStats,
  monitorStats,
  parseGuestStats,
  parseProcesses,
} from './reports.ts';

/** What one report may be long. */
const STATS_MAX = 64 * 1024;
const PROCESSES_MAX = 8 * 1024 ** 2;

export interface InstanceStats {
  id: string;
  name: string;
  monitor: MonitorStats;
  /** What the guest says; undefined where it has no agent, or that does not answer. */
  guest: GuestStats | undefined;
  /** Why the guest says nothing. */
  silence?: string | undefined;
  /** Milliseconds since 1970. */
  time: number;
}

/**
 * What an instance uses, as this machine and as its guest see it.
 *
 * @param instances folder of all instances
 */
export async function statsOfInstance(instances: string, view: InstanceView): Promise<InstanceStats> {
  const { id, name, monitor } = view;
  const common = { id, name, time: Date.now(), monitor: monitor === undefined ? NOTHING : monitorStats(monitor) };
  try {
    const report = await reportOfGuest(new InstanceFolder(instances, id), 'stats', STATS_MAX);
    return { ...common, guest: parseGuestStats(report) };
  } catch (error) {
    return { ...common, guest: undefined, silence: (error as Error).message };
  }
}

const NOTHING: MonitorStats = { memory: undefined, cpuSeconds: undefined, read: undefined, written: undefined };

/** @throws PullerError `AGENT_MISSING`, `INSTANCE_NOT_RUNNING`, `GUEST_PROTOCOL`, … */
export async function processesOfInstance(folder: InstanceFolder): Promise<GuestProcess[]> {
  return parseProcesses(await reportOfGuest(folder, 'processes', PROCESSES_MAX));
}
