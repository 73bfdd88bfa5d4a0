// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import type { Digest, ExecutionConfig } from '../../image-format/index.ts';

/** All that a monitor needs of an image. The files belong to a cache: read them, or copy them. */
export interface Bootable {
  /** The manifest's digest. */
  image: Digest;
  /** Path of the kernel's ELF file. */
  kernel: string;
  /** Path of the root filesystem as an initramfs. */
  initrd: string;
  /** Bytes. */
  initrdSize: number;
  /** Bytes of memory that its files take when they are unpacked, in whole pages. */
  unpackedSize: number;
  config: ExecutionConfig;
  profile: Profile;
  /** `/boot/kernel.json` as it is. */
  kernelJson: Record<string, unknown>;
  /** Ticks a second of its kernel, where they are known. */
  hz?: number | undefined;
}
