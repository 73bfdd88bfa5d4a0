// SPDX-License-Identifier: Apache-2.0
import type { Bootable } from '../assemble/bootable.ts';
import { PullerError } from '../errors.ts';

const MEBIBYTE = 1024 ** 2;

/** What the kernel and init take for themselves. */
const KERNEL_NEED = 32 * MEBIBYTE;

/**
 * The initramfs is in memory twice while the kernel unpacks it, and what it unpacks to may fill half of the memory
 * (the default size of a tmpfs). A guest with less boots without some of its files, which nobody would understand.
 *
 * @throws PullerError `MEMORY_TOO_SMALL`
 */
export function checkMemory(memory: number, { initrdSize }: Pick<Bootable, 'initrdSize'>): void {
  const needed = KERNEL_NEED + 2 * initrdSize;
  if (memory >= needed) return;
  const mebibytes = Math.ceil(needed / MEBIBYTE);
  throw new PullerError(
    'MEMORY_TOO_SMALL',
    `${Math.floor(memory / MEBIBYTE)} MiB of memory are not enough for this image`,
    {
      hint: `it needs ${mebibytes} MiB: -m ${mebibytes}M`,
    },
  );
}
