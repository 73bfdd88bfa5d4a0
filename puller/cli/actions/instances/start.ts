// SPDX-License-Identifier: Apache-2.0
import {
  findInstance,
  type InstanceFolder,
  type InstanceView,
  isActive,
  isWantedByPolicy,
  launchInstance,
  listInstances,
  recordFailedStart,
  restartInstance,
  StartError,
  viewOf,
} from '../../../index.ts';
import { bootableOf } from '../../bootable.ts';
import type { Session } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { forEach } from './for-each.ts';

export async function start(session: Session, wanted: string[], flags: { policy?: boolean }): Promise<number> {
  if (flags.policy !== (wanted.length === 0)) {
    if (flags.policy) throw new CliError('USAGE', '--policy chooses the instances by itself', { hint: 'name none' });
    throw new CliError('USAGE', 'no instance is named', { hint: 'uk ps -a lists them' });
  }
  const instances = await session.instancesFolder();
  const names = flags.policy ? await wantedByPolicy(instances) : wanted;
  return await forEach(session, names, async (name) => {
    const folder = await findInstance(instances, name);
    if (!isActive(await viewOf(folder))) await startOne(session, instances, folder);
  });
}

export async function restart(session: Session, wanted: string[], flags: { time?: number }): Promise<number> {
  const instances = await session.instancesFolder();
  const graceMs = flags.time === undefined ? undefined : flags.time * 1_000;
  return await forEach(session, wanted, async (name) => {
    const folder = await findInstance(instances, name);
    if (!(await restartInstance(folder, graceMs))) await startOne(session, instances, folder);
  });
}

async function startOne(session: Session, instances: string, folder: InstanceFolder): Promise<void> {
  const config = await folder.config();
  const { kernel, profile } = config;
  const { signal } = session;
  try {
    const bootable = await bootableOf(session, await session.openStore(), config.image.descriptor, {
      pull: 'missing',
      ...(kernel === undefined ? {} : { kernel }),
      ...(profile === undefined ? {} : { profile }),
    });
    await launchInstance({ instances, folder, bootable, volumes: await session.volumesFolder(), signal });
  } catch (error) {
    // Whoever was faster has started it.
    if ((error as { code?: string }).code === 'INSTANCE_RUNNING') return;
    // What a supervisor finds out it writes down itself.
    if (!(error instanceof StartError) && !signal.aborted) await recordFailedStart(folder, config, error);
    throw error;
  }
}

async function wantedByPolicy(instances: string): Promise<string[]> {
  const views: InstanceView[] = await listInstances(instances);
  return views
    .filter(isWantedByPolicy)
    .map(({ id }) => id)
    .reverse();
}
