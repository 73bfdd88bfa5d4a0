// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { damaged, type Volume } from './volume.ts';

/** fs/ext4/ext4.h: where the superblock is, what is in it, and the flag of a journal that was not played to its end. */
const SUPERBLOCK = 1024;
const MAGIC = { at: 56, value: 0xef53 } as const;
const INCOMPATIBLE_FEATURES = 96;
const NEEDS_RECOVERY = 0x4;

/**
 * Whether the volume's last guest ended without unmounting it, so that its journal has to be replayed. Linux does that by
 * itself at the next mount, a read-only one too, but it has to write to the disk for it: a read-only disk is refused.
 *
 * @throws PullerError `VOLUME_DAMAGED` where it is no ext4; errors of the system
 */
export async function needsReplay(volume: Volume): Promise<boolean> {
  const file = await open(volume.disk, 'r');
  try {
    const superblock = Buffer.alloc(INCOMPATIBLE_FEATURES + 4);
    await file.read(superblock, 0, superblock.length, SUPERBLOCK);
    if (superblock.readUInt16LE(MAGIC.at) !== MAGIC.value) throw damaged(volume.name, 'its disk holds no ext4');
    return (superblock.readUInt32LE(INCOMPATIBLE_FEATURES) & NEEDS_RECOVERY) !== 0;
  } finally {
    await file.close();
  }
}
