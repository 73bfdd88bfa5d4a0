// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import type { BootableRoot } from '../assemble/bootable.ts';
import { PullerError } from '../errors.ts';
import type { MemoryBacking } from '../vmm/monitor.ts';

const MEBIBYTE = 1024 ** 2;

/** The least that a guest with a small root was seen to boot in. */
const KERNEL_NEED = 23 * MEBIBYTE;

/** What a program gets beside its files where nobody said how much. */
const PROGRAM_ROOM = 32 * MEBIBYTE;

/** Bytes a second. */
const PREFAULT_RATE = 128 * MEBIBYTE;

/** The same for a guest with its root on a disk, whose kernel is of the preset `general`: one that runs a shell. */
const DISK_KERNEL_NEED = 26 * MEBIBYTE;

/**
 * A root on a disk is read as it is used, and forgotten again where memory is short, so its size does not count.
 *
 * An initramfs does: while the kernel unpacks it, the archive and the files are both in memory, and the files may fill
 * half of what the archive leaves (the default size of a tmpfs): the archive and twice the files, in whole pages. A
 * guest with less would boot without some of its files.
 */
export function memoryNeed(root: BootableRoot): number {
  return root.kind === 'initramfs' ? KERNEL_NEED + root.initrdSize + 2 * root.unpackedSize : DISK_KERNEL_NEED;
}

/**
 * How much memory a guest gets: what was asked for, or else the profile's default, or more where the image needs it.
 *
 * @throws PullerError `MEMORY_TOO_SMALL`
 */
export function chooseMemory(
  asked: number | undefined,
  bootable: { root: BootableRoot; profile: { defaults: { memory: number } } },
): number {
  const need = memoryNeed(bootable.root);
  if (asked === undefined) return Math.max(bootable.profile.defaults.memory, need + PROGRAM_ROOM);
  if (asked >= need) return asked;
  throw tooSmall(asked, need);
}

/** How the host gives the guest its memory: as the profile says, unless somebody here says otherwise. */
export function backingOf(
  { devices, memory }: Pick<Profile, 'devices' | 'memory'>,
  { hugePages = memory?.hugePages ?? 'off', prefault = memory?.prefault ?? false }: BackingChoice,
): MemoryBacking {
  return {
    hugePages: hugePages === 'off' ? undefined : hugePages,
    prefault,
    reporting: devices.includes('virtio-balloon'),
  };
}

/**
 * How much longer a guest may take to come up as the monitor touches all of its memory first, in milliseconds: a host
 * clears pages at gigabytes a second, one that has to make room for them does not.
 */
export function prefaultMs({ prefault }: Pick<MemoryBacking, 'prefault'>, memory: number): number {
  return prefault ? (memory / PREFAULT_RATE) * 1000 : 0;
}

interface BackingChoice {
  hugePages?: 'off' | '2M' | '1G' | undefined;
  prefault?: boolean | undefined;
}

/** @param need computed; a guest that had it, and still could not unpack its files, gets the advice to double it */
export function tooSmall(memory: number, need: number): PullerError {
  const [has, enough] = [Math.floor(memory / MEBIBYTE), Math.ceil((need + PROGRAM_ROOM) / MEBIBYTE)];
  const wants = memory < need ? enough : Math.max(enough, 2 * has);
  return new PullerError('MEMORY_TOO_SMALL', `${has} MiB of memory are not enough for this image`, {
    hint: `give it more: -m ${wants}M`,
  });
}

/** What the kernel says when it could not unpack all files (init/initramfs.c, `do_populate_rootfs`). */
export const UNPACKING_FAILURE = 'Initramfs unpacking failed';

/** What the kernel says as it ends a process because there is no memory left (mm/oom_kill.c, `__oom_kill_process`). */
export const OUT_OF_MEMORY = 'Out of memory: Killed process';
