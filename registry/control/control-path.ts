// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';

const NAME = 'control.sock';
/** `sun_path` holds 108 bytes with its final zero (unix(7)). */
const LONGEST = 107;

/** Where the server of a storage folder listens for what its owner has to say. */
export interface ControlPath extends Disposable {
  /** Good as long as this is not disposed of. */
  readonly path: string;
}

/** The socket in `root`; by way of the folder's descriptor where its own path is too long for a socket's address. */
export function controlPath(root: string): ControlPath {
  const path = `${root}/${NAME}`;
  if (Buffer.byteLength(path) <= LONGEST) return { path, [Symbol.dispose]: () => undefined };
  const folder = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${folder}/${NAME}`, [Symbol.dispose]: () => closeSync(folder) };
}
