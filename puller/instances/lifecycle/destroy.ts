// SPDX-License-Identifier: Apache-2.0
import { rename, rm } from 'node:fs/promises';
import { isMissing, syncFolder } from '../../../image-format/layout/durable.ts';
import { recordEvent } from '../events/event-log.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import { unfinishedInstances } from './create.ts';

/**
 * Removes the records of an instance that this process has the claim on. It goes away by one rename; what a kill leaves
 * of its files then is removed by the next command that makes or removes one.
 */
export async function destroyRecords(instances: string, folder: InstanceFolder): Promise<void> {
  const name = await folder.name();
  const temporary = (await unfinishedInstances(instances)).newPath();
  try {
    await rename(folder.path, temporary);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await syncFolder(instances);
  await recordEvent(instances, folder, 'destroy', {}, name);
  await rm(temporary, { recursive: true, force: true }).catch(() => {});
}
