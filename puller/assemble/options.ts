// SPDX-License-Identifier: Apache-2.0

export interface AssembleEvent {
  phase: 'kernel' | 'layer' | 'image';
  /** The layer's role. */
  layer?: string;
}

export interface AssembleOptions {
  /** Default: `$XDG_CACHE_HOME/uk`. */
  cacheDir?: string | undefined;
  /** Which image of an index. Default: its first. */
  profile?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Told what is being made; an image that was assembled before makes nothing. */
  onProgress?: ((event: AssembleEvent) => void) | undefined;
}
