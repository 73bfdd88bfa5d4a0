// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { isMissing } from '../../image-format/layout/index.ts';
import { volumeUse } from './in-use.ts';
import type { VolumeUse } from './locks.ts';
import { asVolumeError } from './store-error.ts';
import type { Volume } from './volume.ts';

/** A volume as it is now. */
export interface InspectedVolume extends Volume {
  /** Bytes that the disk takes on the host. */
  used: number;
  use: VolumeUse;
}

/** @throws PullerError `STORE_IO` */
export async function inspectVolume(volume: Volume): Promise<InspectedVolume> {
  const [used, use] = await Promise.all([diskBytes(volume.disk), volumeUse(volume)]);
  return { ...volume, used, use };
}

/** Bytes that a disk takes on the host; 0 where it does not exist. */
export async function diskBytes(disk: string): Promise<number> {
  try {
    return (await stat(disk)).blocks * 512;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw asVolumeError(error, `looking for ${disk}`);
  }
}
