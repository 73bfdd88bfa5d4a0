// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';
import type { LayerEntry } from './entry.ts';
import { cleanPath, comparePaths } from './path-name.ts';

/** image-spec layer.md, "Whiteouts": no file can have such a name. */
const WHITEOUT = '.wh.';

/**
 * Puts entries into the one order in which they are written: by the bytes of their paths, parents before what is in
 * them. Parents that nobody named are added (0755, root).
 *
 * @throws ImageError `LAYER_INVALID` for a path that cannot stand in a layer, for two entries of one path, for an entry
 * below something that is no directory, and for a hard link that does not follow its target
 */
export function arrange(entries: Iterable<LayerEntry>): LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    checkEntry(entry);
    if (byPath.has(entry.path)) throw unfit(`two entries for ${entry.path}`);
    byPath.set(entry.path, entry);
  }
  for (const entry of [...byPath.values()]) addParents(entry.path, byPath);
  const arranged = [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
  checkHardLinks(arranged);
  return arranged;
}

function addParents(path: string, byPath: Map<string, LayerEntry>): void {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash);
    const known = byPath.get(parent);
    if (known !== undefined && known.type !== 'directory') throw unfit(`${path} is below ${parent}, a ${known.type}`);
    if (known === undefined) byPath.set(parent, { path: parent, type: 'directory', mode: 0o755, uid: 0, gid: 0 });
  }
}

function checkEntry(entry: LayerEntry): void {
  const { path, type, mode, uid, gid, linkname } = entry;
  if (path.includes('\0') || !path.isWellFormed() || cleanPath(path) !== path) {
    throw unfit(`the path ${JSON.stringify(path)} is not in its plain form`);
  }
  if (path.split('/').some((name) => name.startsWith(WHITEOUT))) {
    throw unfit(`${path}: names that begin with ${WHITEOUT} remove files of lower layers`);
  }
  if (path === '' && type !== 'directory') throw unfit('the root is not a directory');
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) throw unfit(`${path} has an impossible mode: ${mode}`);
  for (const id of [uid, gid]) {
    if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) throw unfit(`${path} has an impossible owner: ${id}`);
  }
  if ((type === 'file') !== (entry.source !== undefined)) throw unfit(`${path} has content, but is no file`);
  const isLink = type === 'symlink' || type === 'hardlink';
  if (isLink !== (linkname !== undefined)) throw unfit(`${path} has a link's target, but is no link`);
  if (linkname !== undefined && (linkname === '' || linkname.includes('\0') || !linkname.isWellFormed())) {
    throw unfit(`${path}: not a link's target: ${JSON.stringify(linkname)}`);
  }
}

/** Who unpacks makes entries in order: the file comes first, its further names later. */
function checkHardLinks(arranged: readonly LayerEntry[]): void {
  const files = new Set<string>();
  for (const { path, type, linkname } of arranged) {
    if (type === 'hardlink' && !files.has(linkname ?? '')) {
      throw unfit(`the hard link ${path} does not follow its target ${linkname}`);
    }
    if (type !== 'directory' && type !== 'hardlink') files.add(path);
  }
}

function unfit(what: string): ImageError {
  return new ImageError('LAYER_INVALID', `cannot be a layer: ${what}`);
}
