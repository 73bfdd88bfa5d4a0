// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry } from '../../layers/index.ts';

/** A file that uk itself writes into an image. */
export function rootFile(path: string, bytes: Uint8Array): LayerEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, source: { bytes } };
}

export function folder(path: string): LayerEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0 };
}
