// SPDX-License-Identifier: Apache-2.0
import type { ReadyKernel } from './bootable.ts';

export interface AssembleEvent {
  /** `image`: all layers are there, and what is made for this image alone is being made. */
  phase: 'kernel' | 'layer' | 'image';
  /** The layer's role. */
  layer?: string;
  /** Which layer of the root it is, from 1, and of how many, where the root is a disk. */
  number?: number;
  of?: number;
  /** Bytes that are unpacked so far, where that is known. */
  done?: number;
}

export interface AssembleOptions {
  /** Default: `$XDG_CACHE_HOME/uk`. */
  cacheDir?: string | undefined;
  /** Which image of an index. Default: its first. */
  profile?: string | undefined;
  /** Gives the kernel for a plain container image, which has none. Default: such an image is refused. */
  kernel?: (() => Promise<ReadyKernel>) | undefined;
  signal?: AbortSignal | undefined;
  /** Told what is being made; an image that was assembled before makes nothing. */
  onProgress?: ((event: AssembleEvent) => void) | undefined;
}
