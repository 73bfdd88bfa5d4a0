// SPDX-License-Identifier: Apache-2.0

import { PullerError } from '../../../errors.ts';
import {
  findInstance,
  removeInstance,
  renameInstance,
  signalInstance,
  stopInstance,
  waitForInstance,
} from '../../../instances/lifecycle/index.ts';
import type { Session } from '../../context.ts';
import { forEach } from './for-each.ts';

export async function stop(session: Session, wanted: string[], flags: { time?: number }): Promise<number> {
  const instances = await session.instancesFolder();
  const graceMs = flags.time === undefined ? undefined : flags.time * 1_000;
  return await forEach(session, wanted, async (name) => stopInstance(await findInstance(instances, name), graceMs));
}

export async function kill(session: Session, wanted: string[], flags: { signal: number }): Promise<number> {
  const instances = await session.instancesFolder();
  return await forEach(session, wanted, async (name) =>
    signalInstance(await findInstance(instances, name), flags.signal),
  );
}

export async function remove(session: Session, wanted: string[], flags: { force?: boolean }): Promise<number> {
  const instances = await session.instancesFolder();
  return await forEach(session, wanted, async (name) => {
    try {
      await removeInstance(instances, await findInstance(instances, name), flags.force);
    } catch (error) {
      const isMissing = error instanceof PullerError && error.code === 'INSTANCE_MISSING';
      if (!isMissing || flags.force !== true) throw error;
    }
  });
}

export async function wait(session: Session, wanted: string[]): Promise<undefined> {
  const instances = await session.instancesFolder();
  const folders = await Promise.all(wanted.map((name) => findInstance(instances, name)));
  const statuses = await Promise.all(folders.map((folder) => waitForInstance(folder, session.signal)));
  session.output.result(statuses, () => statuses.join('\n'));
  return undefined;
}

export async function rename(session: Session, wanted: string, name: string): Promise<undefined> {
  await renameInstance(await session.instancesFolder(), wanted, name);
  return undefined;
}
