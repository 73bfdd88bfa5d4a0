// SPDX-License-Identifier: Apache-2.0
import { pidNamespace, processStart } from './process-start.ts';

/**
 * Names this process in the names of files: PID namespace, PID, and the time of its start. A PID alone is given again to
 * other processes, most of all after a reboot.
 */
export function ownerName(): string {
  own ??= `${pidNamespace()}-${process.pid}-${processStart(process.pid) ?? 0}`;
  return own;
}

let own: string | undefined;

/**
 * Whether the process that an owner's name stands for still runs.
 *
 * @returns undefined where that cannot be known: the process is in another PID namespace, such as a container's
 */
export function isOwnerAlive(name: string): boolean | undefined {
  const [namespace, pid, start] = name.split('-');
  if (namespace !== pidNamespace()) return undefined;
  const found = processStart(Number(pid));
  // Names of an older version have no time.
  return found !== undefined && (!/^[1-9]\d{0,11}$/.test(start ?? '') || found === start);
}
