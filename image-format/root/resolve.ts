// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';
import { showPath } from './layer-index.ts';
import { type Directory, impliedDirectory } from './tree.ts';

/** Linux follows as many links in one path (include/linux/namei.h, MAXSYMLINKS). */
const LINKS_MAX = 40;

/** Bytes of a name (Linux: include/uapi/linux/limits.h). */
export const NAME_MAX = 255;

export interface Place {
  folder: Directory;
  /** The last part of the path. */
  name: string;
}

/**
 * Walks from the root to the folder of `path`. Links on the way are followed inside the root, as container engines do
 * when they unpack a layer: `..` never leads above it. The last part is not followed.
 *
 * @param make whether folders that are missing are made; otherwise undefined is returned
 * @param layer for which they are made
 * @throws ImageError `LAYER_INVALID` for a path that leads through something that is no folder
 */
export function placeOf(root: Directory, path: string, make: boolean, layer = 0): Place | undefined {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return { folder: root, name: path };
  const folder = walk(root, path.slice(0, slash), make, path, layer);
  return folder === undefined ? undefined : { folder, name: path.slice(slash + 1) };
}

function walk(root: Directory, folderPath: string, make: boolean, path: string, layer: number): Directory | undefined {
  const above: Directory[] = [];
  let at = root;
  let links = 0;
  const rest = folderPath.split('/').reverse();
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = above.pop() ?? root;
      continue;
    }
    const next = at.children.get(part);
    if (next === undefined) {
      if (!make) return undefined;
      // A link's target may have such a name, but no file.
      if (part.length > NAME_MAX) throw nameTooLong(path);
      const made = impliedDirectory(layer);
      at.children.set(part, made);
      above.push(at);
      at = made;
    } else if (next.type === 'directory') {
      above.push(at);
      at = next;
    } else if (next.type === 'symlink') {
      if (++links > LINKS_MAX) throw unusable(path, 'its path leads round in circles of symbolic links');
      if (next.target.startsWith('/')) {
        at = root;
        above.length = 0;
      }
      rest.push(...next.target.split('/').reverse());
    } else if (make) {
      throw unusable(path, 'its path leads through a file that is no folder');
    } else {
      return undefined;
    }
  }
  return at;
}

export function nameTooLong(path: string): ImageError {
  return unusable(path, `a name in its path is longer than ${NAME_MAX} bytes`);
}

export function unusable(path: string, why: string): ImageError {
  return new ImageError('LAYER_INVALID', `the image cannot be unpacked: ${showPath(path)}: ${why}`);
}
