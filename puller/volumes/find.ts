// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { asVolumeError } from './store-error.ts';
import { DISK_IMAGE, damaged, parseRecord, RECORD, type Volume, volumeFolder } from './volume.ts';
import { isVolumeName } from './volume-name.ts';

/**
 * A volume by its name; undefined where there is none.
 *
 * @param volumes folder of all volumes
 * @throws PullerError `VOLUME_INVALID` (the name), `VOLUME_DAMAGED`, `STORE_IO`
 */
export async function findVolume(volumes: string, name: string): Promise<Volume | undefined> {
  const folder = volumeFolder(volumes, name);
  if ((await statIfThere(folder)) === undefined) return undefined;
  const disk = join(folder, DISK_IMAGE);
  let text: string;
  try {
    text = await readFile(join(folder, RECORD), 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw asVolumeError(error, `reading volume ${name}`);
    // Somebody else may have removed the volume just now.
    if ((await statIfThere(folder)) === undefined) return undefined;
    throw damaged(name, `it has no ${RECORD}`, error);
  }
  const record = parseRecord(text, name);
  const found = await statIfThere(disk);
  if (found === undefined || !found.isFile()) throw damaged(name, `it has no ${DISK_IMAGE}`);
  if (found.size < record.size) {
    throw damaged(name, `${DISK_IMAGE} has ${found.size} bytes instead of ${record.size}`);
  }
  // A disk that its owner has enlarged is as large as it is.
  return { ...record, size: found.size, disk };
}

/** As {@link findVolume}, for a volume that must be there. @throws PullerError `VOLUME_MISSING` too */
export async function getVolume(volumes: string, name: string): Promise<Volume> {
  const found = await findVolume(volumes, name);
  if (found !== undefined) return found;
  throw missingVolume(volumes, name);
}

export function missingVolume(volumes: string, name: string): PullerError {
  return new PullerError('VOLUME_MISSING', `no volume ${name} in ${volumes}`, {
    hint: `uk volume create ${name} makes it, uk volume ls lists what is there`,
  });
}

/** The names of all volumes, damaged ones too, in order. */
export async function volumeNames(volumes: string): Promise<string[]> {
  try {
    return (await readdir(volumes)).filter(isVolumeName).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw asVolumeError(error, `reading ${volumes}`);
  }
}

/**
 * All volumes, by name.
 *
 * @param onDamaged told of each volume that is left out because it is damaged; by default that is thrown
 * @throws PullerError `VOLUME_DAMAGED`, `STORE_IO`
 */
export async function listVolumes(volumes: string, onDamaged?: (error: PullerError) => void): Promise<Volume[]> {
  const found: Volume[] = [];
  for (const name of await volumeNames(volumes)) {
    try {
      const volume = await findVolume(volumes, name);
      if (volume !== undefined) found.push(volume);
    } catch (error) {
      if (onDamaged === undefined || !(error instanceof PullerError) || error.code !== 'VOLUME_DAMAGED') throw error;
      onDamaged(error);
    }
  }
  return found;
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asVolumeError(error, `looking for ${path}`);
  }
}
