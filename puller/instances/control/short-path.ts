// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Gives a socket's path a short form for as long as it is needed: the kernel takes 107 bytes (unix(7)), and a store may
 * lie deeper.
 *
 * @throws the system's error where the folder cannot be opened
 */
export function shortPath(path: string): { path: string; close(): void } {
  const folder = openSync(dirname(path), 'r');
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) };
}
