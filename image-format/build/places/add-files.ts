// SPDX-License-Identifier: Apache-2.0
import { realpath } from 'node:fs/promises';
import { basename, posix, resolve } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { EntryType } from '../../layers/index.ts';
import type { ClosureRoot } from '../needs/closure.ts';
import { readElfIfAny } from '../needs/host-file.ts';
import type { AddedPath } from '../request.ts';
import { type HostEntry, hostTree } from './host-entry.ts';
import { readXattrs } from './host-xattrs.ts';
import type { Plan } from './plan.ts';
import { layerPath } from './usr-merge.ts';

export interface AddedElf extends ClosureRoot {
  /** Named by the user, not found in a folder: what it needs must be there. */
  named: boolean;
}

/** Where in a layer files come to stand. */
export interface Placement {
  /** @param absolute path in the image, as the user wrote it */
  destination(absolute: string): string;
  /** @param path below a destination */
  entry(path: string, type: EntryType): string;
}

/** Below `usr`, where the links of the skeleton lead. A tree that is added to `/` may have its own link `/lib`. */
const MERGED_USR: Placement = {
  destination: layerPath,
  entry: (path, type) => (type === 'symlink' && !path.includes('/') ? path : layerPath(path)),
};

/**
 * Plans files and folders of this machine.
 *
 * @returns the programs and libraries among them
 * @throws ImageError `SOURCE_INVALID`, `PATH_CONFLICT`
 */
export async function planAdds(
  plan: Plan,
  adds: readonly AddedPath[],
  placement: Placement = MERGED_USR,
): Promise<AddedElf[]> {
  const found: AddedElf[] = [];
  for (const add of adds) {
    const { layer = 'app' } = add;
    // Of several names of one file (hard links) the first is the file, the others are links to it.
    const names = new Map<string, string>();
    // A link that is named stands for what it leads to; links inside of a folder stay links.
    const source = await realpath(add.source).catch((cause) => {
      throw new ImageError('SOURCE_INVALID', `cannot add ${add.source}: no such file`, {
        cause,
        // Node reads arguments as UTF-8, and puts this character in the place of what is none.
        hint: add.source.includes('\ufffd') ? 'its name is not UTF-8; give it another one' : undefined,
      });
    });
    const attributes = await readXattrs(source);
    for await (const { host, stats, entry: plain } of addedEntries(
      source,
      placement.destination(target(add)),
      placement,
    )) {
      const xattrs = attributes.get(host);
      const entry = xattrs === undefined ? plain : { ...plain, xattrs };
      const inode = `${stats.dev}:${stats.ino}`;
      const first = stats.isFile() && stats.nlink > 1 ? names.get(inode) : undefined;
      if (first === undefined) {
        const standing = plan.add({ entry, role: layer, origin: host });
        // A link and its file are in one layer: where the file stands in another one already, its next name is a file.
        if (standing.role === layer) names.set(inode, standing.entry.path);
      } else {
        const { source: _, xattrs: __, ...rest } = { xattrs: undefined, ...entry };
        plan.add({ entry: { ...rest, type: 'hardlink', linkname: first }, role: layer, origin: host });
      }
      const elf = entry.type === 'file' ? await readElfIfAny(host) : undefined;
      if (elf !== undefined) found.push({ host, image: `/${entry.path}`, elf, named: host === source });
    }
  }
  return found;
}

async function* addedEntries(
  host: string,
  path: string,
  placement: Placement,
): AsyncGenerator<HostEntry, void, undefined> {
  const entries: HostEntry[] = [];
  for await (const found of hostTree(host, path)) {
    const { entry } = found;
    entries.push({ ...found, entry: { ...entry, path: placement.entry(entry.path, entry.type) } });
  }
  // The layer's sort order makes parents and first names come first; a sorted walk gives the same order.
  yield* entries.sort((a, b) => Buffer.compare(Buffer.from(a.entry.path), Buffer.from(b.entry.path)));
}

/** Its path in the image; "into that folder" keeps the name that was given, also if it is a link's. */
function target({ source, destination }: AddedPath): string {
  if (!destination.startsWith('/') || destination.includes('\0')) {
    throw new ImageError('SOURCE_INVALID', `not an absolute path in the image: ${JSON.stringify(destination)}`, {
      hint: 'write --add SRC:/DST',
    });
  }
  if (posix.normalize(destination).split('/').includes('..')) {
    throw new ImageError('SOURCE_INVALID', `leads out of the image: ${destination}`);
  }
  return destination.endsWith('/') && destination !== '/'
    ? posix.join(destination, basename(resolve(source)))
    : destination;
}
