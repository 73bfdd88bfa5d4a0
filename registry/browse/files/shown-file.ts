// SPDX-License-Identifier: Apache-2.0
import type { Directory, IndexEntry, Inode } from '../../../image-format/root/index.ts';
import type { IndexedLayer } from './indexed-layer.ts';

/** A file in a tree that is shown: of one layer, or of all together. Names are bytes, as in the index. */
export interface ShownFile {
  type: IndexEntry['type'] | 'removed';
  /** Bytes; of a folder: of all files below it. */
  size: number;
  /** Files below a folder. */
  files: number;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970. */
  mtime?: number;
  target?: string;
  device?: string;
  xattrs?: readonly string[];
  layer: number;
  /** Where the content begins in the layer's archive, of a file. */
  offset?: number;
  /** Tells the content from others. */
  content?: string;
  change?: 'adds' | 'replaces' | 'removes';
  /** Bytes below that this replaces or removes. */
  wasted?: number;
  children?: Map<string, ShownFile>;
}

export type ShownFolder = ShownFile & { children: Map<string, ShownFile> };

/** What a layer does to those below it, by path: bytes that are wasted so. */
export type Effects = ReadonlyMap<string, { kind: 'replaces' | 'removes'; wasted: number }>;

const WHITEOUT = '.wh.';

export function isFolder(file: ShownFile | undefined): file is ShownFolder {
  return file?.children !== undefined;
}

/** The file system that all layers make together. */
export function showRoot(root: Directory, layers: readonly IndexedLayer[]): ShownFolder {
  const contents = layers.map(({ entries, contents }) => {
    const byOffset = new Map<number, string>();
    // An empty file has the offset of the next entry, or the end.
    for (const [at, { type, size, offset }] of entries.entries()) {
      if (type === 'file' && size > 0) byOffset.set(offset, contents[at] ?? '');
    }
    return byOffset;
  });
  const known = new Map<Inode, ShownFile>();
  const show = (inode: Inode): ShownFile => {
    const shown = known.get(inode);
    if (shown !== undefined) return shown;
    const made = showInode(inode, contents);
    known.set(inode, made);
    if (inode.type === 'directory') {
      made.children = new Map([...inode.children].map(([name, child]) => [name, show(child)]));
    }
    return made;
  };
  const shown = show(root) as ShownFolder;
  addUp(shown, new Set());
  return shown;
}

function showInode(inode: Inode, contents: readonly ReadonlyMap<number, string>[]): ShownFile {
  const { type, mode, uid, gid, mtime, xattrs, layer } = inode;
  const common = { type, size: 0, files: 0, mode, uid, gid, mtime, layer, ...attributes(xattrs) };
  switch (inode.type) {
    case 'directory':
      return common;
    case 'file': {
      const { size, offset } = inode;
      return { ...common, size, offset, content: size === 0 ? 'empty' : (contents[layer]?.get(offset) ?? '') };
    }
    case 'symlink':
      return { ...common, target: inode.target };
    case 'fifo':
      return common;
    default:
      return { ...common, device: `${inode.major},${inode.minor}` };
  }
}

/** What one layer's archive holds; what it removes stands in the place of what it was. */
export function showLayer(layer: IndexedLayer, number: number, effects: Effects | undefined): ShownFolder {
  const root: ShownFolder = folder(number);
  for (const [at, entry] of layer.entries.entries()) {
    const slash = entry.path.lastIndexOf('/');
    const name = entry.path.slice(slash + 1);
    if (entry.path === '') {
      Object.assign(root, showEntry(entry, number, ''), { type: 'directory' });
    } else if (name.startsWith(WHITEOUT)) {
      removed(root, entry.path.slice(0, Math.max(slash, 0)), name.slice(WHITEOUT.length), number, effects);
    } else {
      place(root, entry.path, { ...showEntry(entry, number, layer.contents[at] ?? ''), ...changeOf(entry, effects) });
    }
  }
  // A folder that is emptied names none of what it had.
  for (const [path, { kind, wasted }] of effects ?? []) {
    if (kind === 'removes' && find(root, path) === undefined) place(root, path, gone(number, wasted));
  }
  addUp(root, new Set());
  return root;
}

function changeOf({ path, type }: IndexEntry, effects: Effects | undefined): Partial<ShownFile> {
  const effect = effects?.get(path);
  if (effect !== undefined) return { change: 'replaces', wasted: effect.wasted };
  return effects === undefined || type === 'directory' ? {} : { change: 'adds' };
}

function removed(root: ShownFolder, above: string, name: string, number: number, effects: Effects | undefined): void {
  // Names that go on so belong to AUFS; the one for a whole folder is told by its effects.
  if (name === '' || name.startsWith('.wh.')) return;
  const path = above === '' ? name : `${above}/${name}`;
  place(root, path, gone(number, effects?.get(path)?.wasted));
}

function gone(layer: number, wasted: number | undefined): ShownFile {
  return { type: 'removed', size: 0, files: 0, layer, change: 'removes', ...(wasted === undefined ? {} : { wasted }) };
}

function place(root: ShownFolder, path: string, file: ShownFile): void {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  let at = root;
  for (const part of parts) {
    let next = at.children.get(part);
    if (!isFolder(next)) {
      // What leads through a link or a file is shown where it is written.
      next = Object.assign(next ?? folder(root.layer), { children: new Map<string, ShownFile>() });
      at.children.set(part, next);
    }
    at = next as ShownFolder;
  }
  const there = at.children.get(name);
  if (there?.children !== undefined && file.type !== 'removed') file.children ??= there.children;
  if (file.type === 'removed' && there !== undefined) return;
  at.children.set(name, file);
}

function showEntry(entry: IndexEntry, layer: number, content: string): ShownFile {
  const { type, mode, uid, gid, mtime, size, offset, target, major, minor, xattrs } = entry;
  return {
    ...{ type, size, files: 0, mode, uid, gid, mtime, layer },
    ...attributes(xattrs),
    ...(type === 'file' ? { offset, content: size === 0 ? 'empty' : content } : {}),
    ...(target === '' ? {} : { target }),
    ...(type === 'character' || type === 'block' ? { device: `${major},${minor}` } : {}),
    ...(type === 'directory' ? { children: new Map() } : {}),
  };
}

function folder(layer: number): ShownFolder {
  return { type: 'directory', size: 0, files: 0, layer, children: new Map() };
}

function attributes(xattrs: IndexEntry['xattrs']): { xattrs?: string[] } {
  return xattrs.length === 0 ? {} : { xattrs: xattrs.map(([name]) => name) };
}

/** Sizes of folders; a file with several names counts once. */
function addUp(at: ShownFolder, seen: Set<ShownFile>): void {
  at.size = 0;
  at.files = 0;
  at.wasted = at.change === 'replaces' ? (at.wasted ?? 0) : 0;
  for (const child of at.children.values()) {
    if (isFolder(child)) addUp(child, seen);
    at.files += isFolder(child) ? child.files : child.type === 'removed' ? 0 : 1;
    at.wasted += child.wasted ?? 0;
    if (!seen.has(child)) at.size += child.size;
    if (!isFolder(child)) seen.add(child);
  }
  if (at.wasted === 0) delete at.wasted;
}

/** Without following links. @param path the root is '' */
export function find(root: ShownFolder, path: string): ShownFile | undefined {
  let at: ShownFile | undefined = root;
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    at = at?.children?.get(part);
  }
  return at;
}

const MOST_LINKS = 40;

/** Follows links inside of the root, the last one too. @returns the file, with its real path */
export function follow(root: ShownFolder, path: string): { path: string; file: ShownFile } | undefined {
  const rest = path.split('/').reverse();
  const way: { name: string; file: ShownFile }[] = [];
  let links = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      way.pop();
      continue;
    }
    const here: ShownFile = way.at(-1)?.file ?? root;
    const next = here.children?.get(part);
    if (next === undefined) return undefined;
    if ((next.type === 'symlink' || next.type === 'hardlink') && next.target !== undefined) {
      if (++links > MOST_LINKS) return undefined;
      if (next.type === 'hardlink' || next.target.startsWith('/')) way.length = 0;
      rest.push(...next.target.split('/').reverse());
      continue;
    }
    way.push({ name: part, file: next });
  }
  return { path: way.map(({ name }) => name).join('/'), file: way.at(-1)?.file ?? root };
}
