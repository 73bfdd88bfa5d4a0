// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../../image-format/layout/durable.ts';
import { IngestFolder } from '../../../image-format/layout/ingest.ts';
import { PullerError } from '../../errors.ts';
import { recordEvent } from '../events/event-log.ts';
import { whileNobodyElseChanges } from '../state/change-lock.ts';
import { type InstanceConfig, SHORT_ID } from '../state/config.ts';
import { writeDurably } from '../state/durable-json.ts';
import { FILE, InstanceFolder } from '../state/instance-folder.ts';
import { checkInstanceName, randomName } from '../state/instance-name.ts';
import { asInstanceError } from '../state/state-error.ts';
import { findInstance, instanceFolders } from './find.ts';

const UNFINISHED = '.unfinished';

/** What {@link createInstance} finds out by itself. */
export type NewInstance = Omit<InstanceConfig, 'version' | 'id' | 'created'>;

/** The folder of instances that are being made or removed. What processes left in it that were killed is removed. */
export async function unfinishedInstances(instances: string): Promise<IngestFolder> {
  await mkdir(instances, { recursive: true, mode: 0o700 });
  return await IngestFolder.open(join(instances, UNFINISHED));
}

/**
 * Makes an instance, which does not run yet. It appears whole, by one rename.
 *
 * @param instances folder of all instances; made where it does not exist
 * @param name default: a random one
 * @throws PullerError `NAME_INVALID`, `NAME_IN_USE`, `STORE_IO`
 */
export async function createInstance(
  instances: string,
  wanted: NewInstance,
  name?: string | undefined,
): Promise<InstanceFolder> {
  if (name !== undefined) checkInstanceName(name);
  try {
    const temporary = (await unfinishedInstances(instances)).newPath();
    const folder = new InstanceFolder(instances, randomBytes(32).toString('hex'));
    const config: InstanceConfig = { version: 1, id: folder.id, created: new Date().toISOString(), ...wanted };
    try {
      await mkdir(temporary, { mode: 0o700 });
      await writeDurably(join(temporary, FILE.config), `${JSON.stringify(config, null, 2)}\n`);
      await whileNobodyElseChanges(instances, async () => {
        const chosen = await freeName(instances, name);
        await writeDurably(join(temporary, FILE.name), `${chosen}\n`);
        await rename(temporary, folder.path);
        await syncFolder(instances);
      });
    } finally {
      await rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
    await recordEvent(instances, folder, 'create', { image: config.image.name });
    return folder;
  } catch (error) {
    throw asInstanceError(error, 'making an instance');
  }
}

/** @throws PullerError `NAME_INVALID`, `NAME_IN_USE`, `INSTANCE_MISSING` */
export async function renameInstance(instances: string, wanted: string, name: string): Promise<void> {
  checkInstanceName(name);
  const folder = await findInstance(instances, wanted);
  const from = await folder.name();
  await whileNobodyElseChanges(instances, async () => {
    await freeName(instances, name);
    await folder.writeName(name);
  });
  await recordEvent(instances, folder, 'rename', { from });
}

async function freeName(instances: string, name: string | undefined): Promise<string> {
  const folders = await instanceFolders(instances);
  const taken = new Map(await Promise.all(folders.map(async (folder) => [await folder.name(), folder.id] as const)));
  if (name === undefined) {
    let chosen = randomName();
    for (let at = 2; taken.has(chosen); at++) chosen = `${randomName()}${at}`;
    return chosen;
  }
  const id = taken.get(name);
  if (id === undefined) return name;
  throw new PullerError('NAME_IN_USE', `instance ${id.slice(0, SHORT_ID)} has the name ${name}`, {
    hint: `uk rm ${name} removes it, uk rename ${name} NEW gives it another name`,
  });
}
