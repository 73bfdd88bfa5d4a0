// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import type { Digest, ExecutionConfig } from '../../image-format/index.ts';

/** The root filesystem of a guest, as files of this machine. */
export type BootableRoot =
  | {
      /** It is unpacked into the guest's memory. */
      kind: 'initramfs';
      /** Path of the archive. */
      initrd: string;
      /** Bytes. */
      initrdSize: number;
      /** Bytes of memory that its files take when they are unpacked, in whole pages. */
      unpackedSize: number;
    }
  | {
      /** It is read from a disk, file by file. */
      kind: 'erofs';
      /** Path of the disk's VMDK descriptor. */
      disk: string;
    };

/** File systems that not every kernel can mount. With `erofs` it can have its root on a disk. */
export type FileSystem = 'erofs' | 'ext4' | '9p' | 'virtiofs';

/** A kernel that is ready to boot, and what it says of itself. */
export interface ReadyKernel {
  /** Path of the kernel's ELF file. */
  vmlinux: string;
  profile: Profile;
  /** `/boot/kernel.json` as it is. */
  kernelJson: Record<string, unknown>;
  /** Ticks a second, where they are known. */
  hz?: number | undefined;
  /** What it can mount beside what every kernel can. */
  filesystems: readonly FileSystem[];
}

/** All that a monitor needs of an image. The files belong to a cache: read them, or copy them. */
export interface Bootable extends Omit<ReadyKernel, 'vmlinux'> {
  /** The manifest's digest. */
  image: Digest;
  /** Path of the kernel's ELF file. */
  kernel: string;
  root: BootableRoot;
  config: ExecutionConfig;
}
