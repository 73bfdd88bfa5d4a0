// SPDX-License-Identifier: Apache-2.0
import type { MachineSpec, MemoryBacking } from '../monitor.ts';
import { placesLeft } from './disks.ts';

const PAGE: Readonly<Record<NonNullable<MemoryBacking['hugePages']>, number>> = {
  '2M': 2 * 1024 ** 2,
  '1G': 1024 ** 3,
};

/** The guest's memory in MiB: whole ones, and whole pages of those that it is made of. */
export function mebibytes({ memory, backing }: Pick<MachineSpec, 'memory' | 'backing'>): number {
  const page = backing?.hugePages === undefined ? 1024 ** 2 : PAGE[backing.hugePages];
  return (Math.ceil(memory / page) * page) / 1024 ** 2;
}

/**
 * The object that the guest's memory is, where it is not what QEMU makes by itself: that comes when it is touched, and
 * the host makes transparent huge pages of it where it may (`madvise`).
 */
export function memoryObject(spec: Pick<MachineSpec, 'memory' | 'backing' | 'shares'>): string[] {
  const { hugePages, prefault = false } = spec.backing ?? {};
  // A daemon of virtiofs reads and writes it.
  const shared = spec.shares?.some(({ kind }) => kind === 'virtiofs') ?? false;
  if (hugePages === undefined && !prefault && !shared) return [];
  const kind =
    hugePages !== undefined
      ? `memory-backend-memfd,hugetlb=on,hugetlbsize=${hugePages},share=${shared ? 'on' : 'off'}`
      : shared
        ? 'memory-backend-memfd,share=on'
        : 'memory-backend-ram';
  return ['-object', `${kind},id=${MEMORY},size=${mebibytes(spec)}M,prealloc=${prefault ? 'on' : 'off'}`];
}

/** A switch of the machine. */
export function memorySwitch(spec: Pick<MachineSpec, 'memory' | 'backing' | 'shares'>): Record<string, string> {
  return memoryObject(spec).length === 0 ? {} : { 'memory-backend': MEMORY };
}

const MEMORY = 'memory';

/**
 * The balloon, of which only free page reporting is used: what is free in the guest for some seconds goes back to the
 * host. Memory that was to be there from the beginning stays. Disks and folders go before it where there is not room for
 * all.
 */
export function balloonDevice(spec: Pick<MachineSpec, 'backing' | 'disks' | 'shares'>): string[] {
  const { reporting = false, prefault = false, hugePages } = spec.backing ?? {};
  if (!reporting || prefault || hugePages !== undefined || placesLeft(spec) < 1) return [];
  return ['-device', 'virtio-balloon-device,free-page-reporting=on'];
}
