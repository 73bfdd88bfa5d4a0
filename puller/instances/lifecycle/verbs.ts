// SPDX-License-Identifier: Apache-2.0
// What can be done with an instance that is there: one function a verb.
import { setTimeout as delay } from 'node:timers/promises';
import { PullerError } from '../../errors.ts';
import { ask, GONE } from '../control/client.ts';
import type { InstanceConfig } from '../state/config.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import { livenessOf, ownIdentity } from '../state/process-identity.ts';
import { endOfError } from '../supervisor/reasons.ts';
import { destroyRecords } from './destroy.ts';
import { notRunning } from './not-running.ts';
import { isActive, viewOf } from './view.ts';

/** A supervisor answers at once what it does not have to wait for. */
const ANSWER_LIMIT_MS = 5_000;

/** What a stop may take beyond the program's time: unmounting, the monitor's end, a busy machine. */
const STOP_MARGIN_MS = 20_000;

const PAUSE_MS = 20;
const SIGKILL = 9;

/**
 * Waits until an instance has ended.
 *
 * @returns the status that its program ended with
 * @throws PullerError `INSTANCE_MISSING` for one that never ran; the signal's reason
 */
export async function waitForInstance(folder: InstanceFolder, signal?: AbortSignal): Promise<number> {
  for (;;) {
    const view = await viewOf(folder);
    if (!isActive(view)) return view.end?.status ?? 0;
    const answer = await ask(folder.file('control'), { verb: 'wait' }, { signal });
    if (answer !== GONE && answer.ok && answer.status !== undefined) return answer.status;
    // It does not listen yet, or no more.
    await delay(PAUSE_MS, undefined, { signal });
  }
}

/**
 * Asks the program to end; kills it when the grace time is over. An instance that does not run is left as it is.
 *
 * @param graceMs default: what was said when it was made
 * @throws PullerError `SUPERVISOR_SILENT`
 */
export async function stopInstance(folder: InstanceFolder, graceMs?: number): Promise<void> {
  const limitMs = (graceMs ?? (await folder.config()).stopTimeoutMs) + STOP_MARGIN_MS;
  await untilEnded(folder, () => ask(folder.file('control'), { verb: 'stop', graceMs }, { limitMs }));
}

/**
 * Sends the program a signal. After SIGKILL it has ended.
 *
 * @throws PullerError `INSTANCE_NOT_RUNNING`, `SUPERVISOR_SILENT`
 */
export async function signalInstance(folder: InstanceFolder, number: number): Promise<void> {
  for (;;) {
    const view = await viewOf(folder);
    if (!isActive(view)) throw notRunning(view);
    const limitMs = ANSWER_LIMIT_MS + STOP_MARGIN_MS;
    const answer = await ask(folder.file('control'), { verb: 'signal', number }, { limitMs });
    if (answer !== GONE) return;
    await delay(PAUSE_MS);
  }
}

/**
 * Stops the program and starts it again, in the same supervisor.
 *
 * @returns false for an instance that does not run: it has to be started
 */
export async function restartInstance(folder: InstanceFolder, graceMs?: number): Promise<boolean> {
  if (!isActive(await viewOf(folder))) return false;
  return (await ask(folder.file('control'), { verb: 'restart', graceMs })) !== GONE;
}

/**
 * Removes an instance.
 *
 * @param force also one that runs, whose supervisor does not answer, or whose records cannot be read
 * @throws PullerError `INSTANCE_RUNNING`, `INSTANCE_BUSY`
 */
export async function removeInstance(instances: string, folder: InstanceFolder, force = false): Promise<void> {
  const view = await viewOf(folder).catch((error) => {
    if (force && error instanceof PullerError && error.code === 'INSTANCE_DAMAGED') return undefined;
    throw error;
  });
  if (view === undefined) await killOwner(folder);
  else if (isActive(view)) {
    if (!force) {
      throw new PullerError('INSTANCE_RUNNING', `instance ${view.name} runs`, {
        hint: `uk stop ${view.name} ends it, uk rm -f removes it at once`,
      });
    }
    await endAtOnce(folder);
  }
  const claim = await folder.claims.take('removal');
  if (claim === undefined) {
    // One that removes itself at its end may have been faster.
    const now = await viewOf(folder).catch(() => undefined);
    if (now === undefined || now.status === 'removing') return;
    throw new PullerError('INSTANCE_BUSY', `instance ${now.name} was started meanwhile`, { hint: 'try again' });
  }
  await destroyRecords(instances, folder);
}

/** Which machine the monitor itself says that it runs; undefined where it cannot be asked. */
export async function confirmedUuid(folder: InstanceFolder): Promise<string | undefined> {
  const answer = await ask(folder.file('control'), { verb: 'identify' }, { limitMs: ANSWER_LIMIT_MS }).catch(
    () => GONE,
  );
  return typeof answer === 'object' && answer.ok ? answer.uuid : undefined;
}

/** Keeps the reason of a start that failed before there was a supervisor. */
export async function recordFailedStart(folder: InstanceFolder, config: InstanceConfig, error: unknown): Promise<void> {
  const claim = await folder.claims.take('run');
  if (claim === undefined) return;
  await folder.writeState({
    ...{ version: 1, run: claim.number, phase: 'exited', supervisor: ownIdentity(), restarts: 0, stopped: false },
    ...{ forwards: config.forwards, outOfMemory: false, finishedAt: new Date().toISOString(), end: endOfError(error) },
  });
  await folder.claims.release(claim);
}

/** With its supervisor everything of it ends, so one that does not answer is killed. */
async function endAtOnce(folder: InstanceFolder): Promise<void> {
  try {
    await ask(folder.file('control'), { verb: 'identify' }, { limitMs: ANSWER_LIMIT_MS });
    await signalInstance(folder, SIGKILL);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'INSTANCE_NOT_RUNNING' || code === 'INSTANCE_MISSING') return;
    if (code !== 'SUPERVISOR_SILENT') throw error;
    await killOwner(folder);
  }
  await untilEnded(folder, async () => GONE);
}

async function killOwner(folder: InstanceFolder): Promise<void> {
  const claim = await folder.claims.current();
  if (claim === undefined || claim.released || claim.purpose !== 'run') return;
  if (livenessOf(claim.owner) === 'alive') process.kill(claim.owner.pid, 'SIGKILL');
  while (livenessOf(claim.owner) === 'alive') await delay(PAUSE_MS);
}

async function untilEnded(folder: InstanceFolder, askOnce: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const view = await viewOf(folder).catch((error) => {
      // It was to be removed at its end.
      if (error instanceof PullerError && error.code === 'INSTANCE_MISSING') return undefined;
      throw error;
    });
    if (view === undefined || !isActive(view)) return;
    await askOnce();
    await delay(PAUSE_MS);
  }
}
