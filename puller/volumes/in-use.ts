// SPDX-License-Identifier: Apache-2.0
import { open, readFile } from 'node:fs/promises';
import { isMissing } from '../../image-format/layout/index.ts';
import { PullerError } from '../errors.ts';
import { lockedFile, useOf, type VolumeUse } from './locks.ts';
import type { Volume } from './volume.ts';

/**
 * How a disk is used at this moment, by any guest of this host. It is what the kernel says of the monitors' locks, so a
 * monitor that was killed holds nothing. On a network file system the guests of other hosts are not seen; their monitors'
 * locks are respected all the same.
 *
 * @param disk the image's file; one that does not exist is unused
 * @throws PullerError `STORE_IO` where the kernel does not tell
 */
export async function diskUse(disk: string): Promise<VolumeUse> {
  try {
    // Opened for reading only, and without a lock: nothing that a guest would notice.
    const handle = await open(disk, 'r');
    try {
      const { ino } = await handle.stat({ bigint: true });
      const [fdinfo, mountinfo, locks] = await Promise.all(
        [`/proc/self/fdinfo/${handle.fd}`, '/proc/self/mountinfo', '/proc/locks'].map(readText),
      );
      const file = lockedFile(fdinfo ?? '', mountinfo ?? '', String(ino));
      if (file === undefined) throw cannotTell(disk, 'its file system is not in /proc/self/mountinfo');
      return useOf(locks ?? '', file);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof PullerError) throw error;
    if (isMissing(error)) return 'unused';
    throw cannotTell(disk, (error as Error).message, error);
  }
}

export async function volumeUse(volume: Volume): Promise<VolumeUse> {
  return await diskUse(volume.disk);
}

/**
 * Says early and clearly what the monitor's lock would refuse: one guest may write to a volume, or any number may read.
 *
 * @throws PullerError `VOLUME_IN_USE`, `STORE_IO`
 */
export async function checkUsable(volume: Volume, readOnly: boolean): Promise<void> {
  const use = await volumeUse(volume);
  if (use === 'unused' || (use === 'read' && readOnly)) return;
  const what = use === 'read' ? 'is read by another guest, so it cannot be written to' : 'is in use by another guest';
  const hint = use === 'read' ? 'end that guest, or use the volume with :ro' : 'end that guest first';
  throw new PullerError('VOLUME_IN_USE', `volume ${volume.name} ${what}`, { hint });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PullerError('STORE_IO', `cannot tell whether a volume is in use: ${(error as Error).message}`, {
      cause: error,
      hint: 'mount /proc',
    });
  }
}

function cannotTell(disk: string, why: string, cause?: unknown): PullerError {
  return new PullerError('STORE_IO', `cannot tell whether ${disk} is in use: ${why}`, { cause });
}
