// SPDX-License-Identifier: Apache-2.0
import { lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, syncFolder } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { listVolumes, missingVolume } from './find.ts';
import { diskUse, volumeUse } from './in-use.ts';
import { diskBytes } from './inspect.ts';
import { asVolumeError } from './store-error.ts';
import { unfinished } from './unfinished.ts';
import { DISK_IMAGE, type Volume, volumeFolder } from './volume.ts';

/** What was removed. */
export interface RemovedVolume {
  name: string;
  /** Bytes that its disk took on the host. */
  freed: number;
}

/**
 * Removes a volume with all that it holds; a damaged one too. It goes by one rename, so that no guest finds half of it.
 *
 * @throws PullerError `VOLUME_IN_USE`, `VOLUME_MISSING`, `VOLUME_INVALID` (the name), `STORE_IO`
 */
export async function removeVolume(volumes: string, name: string): Promise<RemovedVolume> {
  await checkRemovable(volumes, name);
  const folder = volumeFolder(volumes, name);
  try {
    const aside = (await unfinished(volumes)).newPath();
    const freed = await diskBytes(join(folder, DISK_IMAGE));
    try {
      await rename(folder, aside);
    } catch (error) {
      throw isMissing(error) ? missingVolume(volumes, name) : error;
    }
    await putBackIfUsed(aside, folder, name);
    await syncFolder(volumes);
    await rm(aside, { recursive: true, force: true });
    return { name, freed };
  } catch (error) {
    throw asVolumeError(error, `removing volume ${name} from ${volumes}`);
  }
}

/** Whether {@link removeVolume} would do it now. @throws PullerError as it does */
export async function checkRemovable(volumes: string, name: string): Promise<void> {
  const folder = volumeFolder(volumes, name);
  if ((await lstat(folder).catch(() => undefined)) === undefined) throw missingVolume(volumes, name);
  await checkUnused(folder, name);
}

/**
 * The volumes that no guest of this host uses now.
 *
 * @param onDamaged as for `listVolumes`
 * @throws PullerError `STORE_IO`
 */
export async function unusedVolumes(volumes: string, onDamaged?: (error: PullerError) => void): Promise<Volume[]> {
  const unused: Volume[] = [];
  for (const volume of await listVolumes(volumes, onDamaged)) {
    if ((await volumeUse(volume)) === 'unused') unused.push(volume);
  }
  return unused;
}

/** Removes volumes, but for those that were taken into use or removed meanwhile. @throws PullerError `STORE_IO` */
export async function pruneVolumes(volumes: string, candidates: readonly Volume[]): Promise<RemovedVolume[]> {
  const removed: RemovedVolume[] = [];
  for (const { name } of candidates) {
    try {
      removed.push(await removeVolume(volumes, name));
    } catch (error) {
      if (!(error instanceof PullerError) || !['VOLUME_IN_USE', 'VOLUME_MISSING'].includes(error.code)) throw error;
    }
  }
  return removed;
}

async function checkUnused(folder: string, name: string): Promise<void> {
  if ((await diskUse(join(folder, DISK_IMAGE))) === 'unused') return;
  throw new PullerError('VOLUME_IN_USE', `volume ${name} is in use by a guest`, { hint: 'end that guest first' });
}

/** A guest that opened the disk between the first look and the rename keeps its volume. */
async function putBackIfUsed(aside: string, folder: string, name: string): Promise<void> {
  try {
    await checkUnused(aside, name);
  } catch (error) {
    await rename(aside, folder);
    throw error;
  }
}
