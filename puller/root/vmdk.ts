// SPDX-License-Identifier: Apache-2.0

/** A file of which a part of a disk consists. */
export interface Extent {
  /** Name of a file in the descriptor's own folder. */
  name: string;
  /** Bytes, a multiple of 512. */
  size: number;
}

const SECTOR = 512;

/**
 * The text of a VMDK descriptor that joins files to one disk (VMware, "Virtual Disk Format 5.0", flat extents; QEMU,
 * block/vmdk.c). QEMU takes only extents that are called RW; whether it writes is decided by the drive.
 */
export function vmdkDescriptor(extents: readonly Extent[]): string {
  const lines = extents.flatMap(({ name, size }) => (size === 0 ? [] : [`RW ${size / SECTOR} FLAT "${name}" 0`]));
  return [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    'parentCID=ffffffff',
    'createType="twoGbMaxExtentFlat"',
    '',
    '# Extent description',
    ...lines,
    '',
  ].join('\n');
}
