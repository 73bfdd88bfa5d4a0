// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';
import type { LayerEntry } from './entry.ts';
import { comparePaths } from './path-name.ts';

/** A file, link, folder or node, whatever its names are. */
interface Inode {
  entry: LayerEntry;
}

/**
 * The names of a tree, of which several may stand for one file (hard links). Names come in any order, may be given
 * anew, and may go: a file stays as long as it has a name, as in a file system.
 */
export class FileNames {
  readonly #names = new Map<string, Inode>();

  /**
   * Gives a name to a new file, or to the file that a hard link leads to. What had the name before loses it.
   *
   * @throws ImageError `LAYER_INVALID` for a hard link to nothing, or to a folder
   */
  add(entry: LayerEntry): void {
    if (entry.type !== 'hardlink') {
      this.#names.set(entry.path, { entry });
      return;
    }
    const { path, linkname = '' } = entry;
    const target = this.#names.get(linkname);
    if (target === undefined || target.entry.type === 'directory') {
      const what = target === undefined ? 'is not there' : 'is a folder';
      throw new ImageError(
        'LAYER_INVALID',
        `the hard link ${printed(path)} leads to ${printed(linkname)}, which ${what}`,
      );
    }
    this.#names.set(path, target);
  }

  delete(path: string): void {
    this.#names.delete(path);
  }

  /** By the bytes of their paths. The first name of a file holds its content, the others are hard links to that name. */
  entries(): LayerEntry[] {
    const first = new Map<Inode, string>();
    const sorted = [...this.#names].sort(([a], [b]) => comparePaths(a, b));
    return sorted.map(([path, inode]) => {
      const linkname = first.get(inode);
      if (linkname === undefined) {
        first.set(inode, path);
        return { ...inode.entry, path };
      }
      const { mode, uid, gid } = inode.entry;
      return { path, type: 'hardlink', mode, uid, gid, linkname };
    });
  }
}

function printed(path: string): string {
  return JSON.stringify(path.slice(0, 300));
}
