// SPDX-License-Identifier: Apache-2.0
import type { ComparedFile } from '../types/compare.ts';
import { pathText } from './path-text.ts';
import { isFolder, type ShownFile, type ShownFolder } from './shown-file.ts';

/** More differences are not kept. */
export const MOST_DIFFERENCES = 200_000;

/** How two file systems differ, by path. Times of files are left out: they say nothing of what a file is. */
export function compareRoots(from: ShownFolder, to: ShownFolder): ComparedFile[] {
  const found: ComparedFile[] = [];
  compareFolders(from, to, '', found);
  return found;
}

function compareFolders(from: ShownFolder, to: ShownFolder, path: string, found: ComparedFile[]): void {
  const names = [...new Set([...from.children.keys(), ...to.children.keys()])].sort();
  for (const name of names) {
    if (found.length >= MOST_DIFFERENCES) return;
    const at = path === '' ? name : `${path}/${name}`;
    compareFiles(from.children.get(name), to.children.get(name), at, found);
  }
}

function compareFiles(from: ShownFile | undefined, to: ShownFile | undefined, path: string, found: ComparedFile[]) {
  if (from !== undefined && to !== undefined) {
    const differs = differences(from, to);
    if (differs.length > 0) {
      found.push({ path: pathText(path), change: 'changed', from: from.size, to: to.size, differs });
    }
  } else if (to !== undefined && !isFolder(to)) {
    found.push({ path: pathText(path), change: 'added', to: to.size, differs: [] });
  } else if (from !== undefined && !isFolder(from)) {
    found.push({ path: pathText(path), change: 'removed', from: from.size, differs: [] });
  }
  // What is in a folder that only one side has is added or removed, each file of it.
  if (isFolder(from) || isFolder(to)) {
    compareFolders(isFolder(from) ? from : NOTHING, isFolder(to) ? to : NOTHING, path, found);
  }
}

const NOTHING: ShownFolder = { type: 'directory', size: 0, files: 0, layer: 0, children: new Map() };

function differences(from: ShownFile, to: ShownFile): string[] {
  if (from.type !== to.type) return ['type'];
  return [
    ...(from.content === to.content && (isFolder(from) || from.size === to.size) ? [] : ['content']),
    ...(from.target === to.target && from.device === to.device ? [] : ['target']),
    ...(from.mode === to.mode ? [] : ['mode']),
    ...(from.uid === to.uid && from.gid === to.gid ? [] : ['owner']),
  ];
}
