// SPDX-License-Identifier: Apache-2.0

/**
 * What a guest is to have at one path beside its image.
 *
 * `folder`: a folder of the host, shared. `named`: a volume of the store, see `volume.ts`; with `copy`, what the image
 * has at that path goes into a volume that is empty. `tmpfs`: memory of the guest, which ends with it; `copy` as with a
 * named one.
 *
 * `path` is absolute and normalised, and not `/`. `options` are those of the guest's mount: `ro`, `noexec`, `nosuid`,
 * `nodev`, `size=…` (bytes, or a share of the memory such as `50%`), `mode=…` (octal).
 */
export type VolumeRequest =
  | { kind: 'folder'; folder: string; path: string; readOnly: boolean }
  | { kind: 'named'; name: string; path: string; readOnly: boolean; copy: boolean }
  | { kind: 'tmpfs'; path: string; options: readonly string[]; copy?: boolean };
