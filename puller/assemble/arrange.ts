// SPDX-License-Identifier: Apache-2.0
import type { EntryType } from '../../image-format/layers/index.ts';
import { PullerError } from '../errors.ts';
import type { SegmentPath } from './layer-segment.ts';
import { checkReserved } from './reserved.ts';

export interface ArrangedLayer {
  role: string;
  paths: readonly SegmentPath[];
}

/** The kernel follows as many. */
const LINKS_MAX = 40;

interface Node {
  type: EntryType;
  role: string;
  target?: string | undefined;
}

/**
 * Checks that layers which are unpacked one over the other, as the kernel does it, give the tree that they mean: what
 * is no folder stands in one layer only (docs/image-format.md), under whatever name links give it, and no folder
 * takes a link's place. Nothing gets into the folder of the guest's init.
 *
 * @returns per layer the folders that it names only as parts of paths and nobody has made: the kernel would leave out
 *   what is in them
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function arrangeLayers(layers: readonly ArrangedLayer[]): string[][] {
  const tree = new Map<string, Node>([['', { type: 'directory', role: '' }]]);
  return layers.map(({ role, paths }) => {
    const missing: string[] = [];
    for (const { path, type, target } of paths) {
      if (path === '') continue;
      const slash = path.lastIndexOf('/');
      const folder = resolveFolder(tree, slash < 0 ? '' : path.slice(0, slash), role, missing);
      const place = join(folder, path.slice(slash + 1));
      // Under whatever name links give it.
      checkReserved(place, role, path);
      const there = tree.get(place);
      if (there !== undefined && (there.type !== 'directory' || type !== 'directory')) {
        throw new PullerError(
          'IMAGE_UNSUPPORTED',
          `/${place} is in the ${there.role} layer and again in the ${role} layer`,
          {
            hint: 'what is no folder may stand in one layer only',
          },
        );
      }
      tree.set(place, { type, role, target });
    }
    return missing;
  });
}

/** The folder that a path leads to, through links. Folders that are not there are noted and made. */
function resolveFolder(tree: Map<string, Node>, path: string, role: string, missing: string[]): string {
  let links = 0;
  let at = '';
  const rest = path.split('/').filter(Boolean);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      // Above the root is the root, as in the guest.
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const next = join(at, name);
    const node = tree.get(next);
    if (node === undefined) {
      checkReserved(next, role, path);
      tree.set(next, { type: 'directory', role });
      missing.push(next);
      at = next;
    } else if (node.type === 'directory') {
      at = next;
    } else if (node.type === 'symlink' && ++links <= LINKS_MAX) {
      const target = node.target ?? '';
      if (target.startsWith('/')) at = '';
      rest.unshift(...target.split('/').filter(Boolean));
    } else {
      const what = node.type === 'symlink' ? 'a link that leads round in circles' : 'no folder';
      throw new PullerError('IMAGE_UNSUPPORTED', `the ${role} layer puts something into /${next}, which is ${what}`);
    }
  }
  return at;
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
