// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { EntryHeader } from '../../layers/index.ts';

type Entry = Omit<EntryHeader, 'size' | 'mtime'>;

interface Node {
  entry: Entry;
  children: Map<string, Node>;
}

/** The kernel's MAXSYMLINKS. */
const MAX_LINKS = 40;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * The files that a stack of layers shows, without their content.
 *
 * @see image-spec layer.md, "Applying Changesets" and "Whiteouts"
 */
export class BaseTree {
  readonly #root: Node = { entry: folderEntry(''), children: new Map() };

  /** Applies one more layer: what it removes goes first, whatever the order of its entries is. */
  apply(entries: readonly Entry[]): void {
    for (const { path } of entries) {
      const name = posix.basename(path);
      if (!name.startsWith(WHITEOUT)) continue;
      const folder = this.#find(parentOf(path));
      if (name === OPAQUE) folder?.children.clear();
      else folder?.children.delete(name.slice(WHITEOUT.length));
    }
    for (const entry of entries) {
      if (!posix.basename(entry.path).startsWith(WHITEOUT)) this.#put(entry);
    }
  }

  /** What stands at a path, whose links are followed, the last one too. */
  follow(path: string): Entry | undefined {
    return this.#find(path)?.entry;
  }

  /** What stands at a path itself; links of the folders on the way are followed. */
  get(path: string): Entry | undefined {
    const parent = this.#find(parentOf(path));
    return path === '' ? this.#root.entry : parent?.children.get(posix.basename(path))?.entry;
  }

  /**
   * Where a new file gets when it is put at an absolute path, as a layer writes it: links of folders on the way are
   * followed, as far as there are any.
   *
   * @param folder whether it is a folder: a link to a folder then stands for that folder
   */
  place(absolute: string, folder: boolean): string {
    const path = posix.normalize(`/${absolute}`).slice(1).replace(/\/$/, '');
    const whole = folder ? this.#locate(path) : undefined;
    if (whole !== undefined && whole.node.entry.type === 'directory') return whole.path;
    const missing: string[] = [];
    for (let rest = path; rest !== ''; rest = parentOf(rest)) {
      missing.unshift(posix.basename(rest));
      const found = this.#locate(parentOf(rest));
      if (found !== undefined) return [found.path, ...missing].filter(Boolean).join('/');
    }
    return path;
  }

  *directories(): Generator<Entry> {
    const waiting = [this.#root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      yield node.entry;
      for (const child of node.children.values()) if (child.entry.type === 'directory') waiting.push(child);
    }
  }

  #find(path: string): Node | undefined {
    return this.#locate(path)?.node;
  }

  /** Walks a path as the kernel would, `..` at the root included. */
  #locate(path: string): { path: string; node: Node } | undefined {
    let links = 0;
    let at: { path: string; node: Node }[] = [{ path: '', node: this.#root }];
    const rest = path.split('/');
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (at.length > 1) at.pop();
        continue;
      }
      const here = at.at(-1);
      const node = here?.node.children.get(name);
      if (here === undefined || node === undefined) return undefined;
      if (node.entry.type !== 'symlink') {
        at.push({ path: here.path === '' ? name : `${here.path}/${name}`, node });
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      const target = node.entry.linkname ?? '';
      if (target.startsWith('/')) at = [{ path: '', node: this.#root }];
      rest.unshift(...target.split('/'));
    }
    return at.at(-1);
  }

  #put(entry: Entry): void {
    if (entry.path === '') {
      this.#root.entry = entry;
      return;
    }
    const parent = this.#makeFolder(parentOf(entry.path));
    const name = posix.basename(entry.path);
    const there = parent.node.children.get(name);
    const path = parent.path === '' ? name : `${parent.path}/${name}`;
    const keeps = there?.entry.type === 'directory' && entry.type === 'directory';
    parent.node.children.set(name, { entry: { ...entry, path }, children: keeps ? there.children : new Map() });
  }

  #makeFolder(path: string): { path: string; node: Node } {
    const found = this.#locate(path);
    if (found !== undefined && found.node.entry.type === 'directory') return found;
    if (path === '') return { path: '', node: this.#root };
    const parent = this.#makeFolder(parentOf(path));
    const name = posix.basename(path);
    const own = parent.path === '' ? name : `${parent.path}/${name}`;
    const node: Node = { entry: folderEntry(own), children: new Map() };
    parent.node.children.set(name, node);
    return { path: own, node };
  }
}

function folderEntry(path: string): Entry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0 };
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
