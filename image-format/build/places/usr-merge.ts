// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';

/** Top folders that are links into `/usr` in every image of ours, as on every current distribution. */
export const USR_LINKS = ['bin', 'sbin', 'lib', 'lib64'] as const;

const MERGED: ReadonlySet<string> = new Set(USR_LINKS);

/**
 * An absolute path as it stands in a layer: normal, without the leading slash, and below `usr` where a link of the
 * skeleton leads there. `/lib/x.so` is `usr/lib/x.so`.
 */
export function layerPath(absolute: string): string {
  const path = posix.normalize(`/${absolute}`).slice(1).replace(/\/$/, '');
  const slash = path.indexOf('/');
  const top = slash < 0 ? path : path.slice(0, slash);
  return MERGED.has(top) ? `usr/${path}` : path;
}
