// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { PullerError } from '../../errors.ts';
import type { PortForward } from '../../vmm/monitor.ts';
import { answers } from '../control/client.ts';
import type { Claim } from '../state/claims.ts';
import type { InstanceConfig } from '../state/config.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import { identityOf, livenessOf, type ProcessIdentity } from '../state/process-identity.ts';
import type { Health, RunEnd, RunState } from '../state/run-state.ts';
import { instanceFolders } from './find.ts';

export type InstanceStatus = 'created' | 'starting' | 'running' | 'stopping' | 'restarting' | 'exited' | 'removing';

/** An instance as it is now: its records, checked against the processes. */
export interface InstanceView {
  id: string;
  name: string;
  status: InstanceStatus;
  config: InstanceConfig;
  health: Health | undefined;
  forwards: readonly PortForward[];
  startedAt: string | undefined;
  finishedAt: string | undefined;
  end: RunEnd | undefined;
  restarts: number;
  /** Whether its user asked for the end. */
  stopped: boolean;
  outOfMemory: boolean;
  accelerator: string | undefined;
  /** While it runs. */
  supervisor: number | undefined;
  monitor: number | undefined;
  uuid: string | undefined;
  /** Folder of its records and logs. */
  folder: string;
}

/** What is known of a run whose supervisor could not write its end. */
const LOST_STATUS = 255;

/** Whether there is something that can be stopped. */
export function isActive({ status }: Pick<InstanceView, 'status'>): boolean {
  return status === 'starting' || status === 'running' || status === 'stopping' || status === 'restarting';
}

/**
 * Looks at an instance. A monitor that outlived its supervisor is ended.
 *
 * @throws PullerError `INSTANCE_MISSING`, `INSTANCE_DAMAGED`
 */
export async function viewOf(folder: InstanceFolder): Promise<InstanceView> {
  const [config, name] = await Promise.all([folder.config(), folder.name()]);
  // The claim is read before the state and again after it: both are then of one run.
  for (;;) {
    const claim = await folder.claims.current();
    const state = await folder.state();
    const after = await folder.claims.current();
    if (claim?.number !== after?.number || claim?.released !== after?.released) continue;
    const held = await isHeld(folder, claim);
    if (!held && state?.monitor !== undefined) reap(state);
    return { id: folder.id, name, config, folder: folder.path, ...factsOf(config, claim, held, state) };
  }
}

/** @param damaged told of instances that cannot be read */
export async function listInstances(
  instances: string,
  damaged: (error: PullerError) => void = () => {},
): Promise<InstanceView[]> {
  const views = await Promise.all(
    (await instanceFolders(instances)).map(async (folder) => {
      try {
        return await viewOf(folder);
      } catch (error) {
        if (error instanceof PullerError && error.code === 'INSTANCE_DAMAGED') damaged(error);
        // Removed in the meantime.
        else if (!isMissing(error) && !(error instanceof PullerError && error.code === 'INSTANCE_MISSING')) throw error;
        return undefined;
      }
    }),
  );
  return views
    .filter((view) => view !== undefined)
    .sort((one, other) => (one.config.created < other.config.created ? 1 : -1));
}

async function isHeld(folder: InstanceFolder, claim: Claim | undefined): Promise<boolean> {
  const holding = await folder.claims.holding(claim);
  return holding === 'held' || (holding === 'elsewhere' && (await answers(folder.file('control'))));
}

type Facts = Omit<InstanceView, 'id' | 'name' | 'config' | 'folder'>;

function factsOf(config: InstanceConfig, claim: Claim | undefined, held: boolean, state: RunState | undefined): Facts {
  const written: Facts = {
    ...{ status: state === undefined ? 'created' : 'exited', forwards: config.forwards, health: undefined },
    ...{ startedAt: state?.startedAt, finishedAt: state?.finishedAt, end: state?.end },
    ...{ restarts: state?.restarts ?? 0, stopped: state?.stopped ?? false, outOfMemory: state?.outOfMemory ?? false },
    ...{ accelerator: state?.accelerator, supervisor: undefined, monitor: undefined, uuid: undefined },
  };
  if (claim === undefined || claim.purpose === 'change') return written;
  if (held && claim.purpose === 'removal') return { ...written, status: 'removing' };
  const ofThisRun = state?.run === claim.number ? state : undefined;
  if (held) {
    if (ofThisRun === undefined) return { ...written, status: 'starting', supervisor: claim.owner.pid };
    const { phase, health, forwards, monitor, uuid } = ofThisRun;
    const status = phase === 'exited' ? 'stopping' : phase;
    return { ...written, status, health, forwards, supervisor: claim.owner.pid, monitor: monitor?.pid, uuid };
  }
  if (claim.purpose === 'removal' || claim.released || ofThisRun?.phase === 'exited') return written;
  return { ...written, status: 'exited', end: lostEnd(claim, ofThisRun) };
}

function lostEnd({ owner }: Claim, state: RunState | undefined): RunEnd {
  const here = identityOf();
  const when = state === undefined ? 'before the program ran' : 'while the program ran';
  const what = here !== undefined && here.boot !== owner.boot ? 'the machine went down' : 'its supervisor was killed';
  return { status: LOST_STATUS, reason: { code: 'SUPERVISOR_LOST', message: `${what} ${when}` } };
}

/** A monitor ends with its supervisor, but for one that a debugger holds, or where util-linux is missing. */
function reap({ monitor, uuid }: RunState): void {
  if (monitor === undefined || uuid === undefined || !isMonitor(monitor, uuid)) return;
  try {
    process.kill(monitor.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The process is the one that was started, and it says itself which machine it runs. */
function isMonitor(monitor: ProcessIdentity, uuid: string): boolean {
  if (livenessOf(monitor) !== 'alive') return false;
  try {
    return readFileSync(`/proc/${monitor.pid}/cmdline`, 'latin1').split('\0').includes(uuid);
  } catch {
    return false;
  }
}
