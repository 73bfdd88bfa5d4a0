// SPDX-License-Identifier: Apache-2.0
import { matches, wordsOf } from '../page.ts';
import type { FileRow, RootSummary } from '../types/files.ts';
import { pathBytes, pathText } from './path-text.ts';
import { find, follow, isFolder, type ShownFile, type ShownFolder } from './shown-file.ts';
import type { Stack } from './stack.ts';

/** A question about the files of an image. It is asked in another thread, so it is plain data. */
export type Question =
  | {
      kind: 'list';
      layer: number | undefined;
      path: string;
      search: string | undefined;
      sort: 'name' | 'size';
      changes: boolean;
      page: number;
      size: number;
    }
  | { kind: 'lookup'; layer: number | undefined; path: string; follow: boolean }
  | { kind: 'summary' };

export interface Listed {
  rows: FileRow[];
  folder: FileRow;
  matched: number;
  total: number;
}

/** Where the content of a file is. */
export interface Located {
  row: FileRow;
  /** Undefined for what has no content. */
  content: { layer: number; offset: number; size: number } | undefined;
}

/** More than this is not put into order. */
const MOST_FOUND = 100_000;
const MOST_WASTE = 50;
const MOST_LARGEST = 20;

/** @returns undefined where there is no such layer or path */
export function ask(stack: Stack, question: Question): Listed | Located | Summary | undefined {
  if (question.kind === 'summary') return summary(stack);
  const { layer } = question;
  const root = layer === undefined ? stack.root : stack.layer(layer);
  if (root === undefined) return undefined;
  return question.kind === 'list' ? list(root, question) : lookup(stack, root, question);
}

function list(root: ShownFolder, question: Extract<Question, { kind: 'list' }>): Listed | undefined {
  const path = pathBytes(question.path).replace(/^\/+|\/+$/g, '');
  const plain = find(root, path);
  const at = isFolder(plain) ? plain : follow(root, path)?.file;
  if (!isFolder(at)) return undefined;
  const words = wordsOf(question.search);
  const deep = words.length > 0 || question.changes;
  const found = deep ? [...search(at, path, words, question.changes)] : children(at, path);
  if (question.sort === 'size') found.sort((a, b) => b.file.size - a.file.size);
  else found.sort(deep ? byPath : foldersFirst);
  const from = (question.page - 1) * question.size;
  return {
    rows: found.slice(from, from + question.size).map((one) => rowOf(one.path, one.file)),
    folder: rowOf(path, at),
    matched: found.length,
    total: deep ? at.files : at.children.size,
  };
}

interface Found {
  path: string;
  file: ShownFile;
}

function children(at: ShownFolder, path: string): Found[] {
  return [...at.children].map(([name, file]) => ({ path: path === '' ? name : `${path}/${name}`, file }));
}

function foldersFirst(a: Found, b: Found): number {
  const order = Number(isFolder(b.file)) - Number(isFolder(a.file));
  return order || byPath(a, b);
}

function byPath(a: Found, b: Found): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function* search(at: ShownFolder, path: string, words: readonly string[], changes: boolean): Generator<Found> {
  const left = { count: MOST_FOUND };
  yield* below(at, path, (one) => {
    if (changes && one.file.change !== 'replaces' && one.file.change !== 'removes') return false;
    return matches(pathText(one.path), words) && left.count-- > 0;
  });
}

function* below(at: ShownFolder, path: string, wanted: (one: Found) => boolean): Generator<Found> {
  const waiting = children(at, path).reverse();
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (wanted(one)) yield one;
    if (isFolder(one.file)) waiting.push(...children(one.file, one.path).reverse());
  }
}

/** In a layer, a link may lead to a file of a layer below. */
function lookup(stack: Stack, root: ShownFolder, question: Extract<Question, { kind: 'lookup' }>): Located | undefined {
  const path = pathBytes(question.path).replace(/^\/+|\/+$/g, '');
  const plain = find(root, path);
  const isLink = plain?.type === 'symlink' || plain?.type === 'hardlink';
  const led = question.follow && (plain === undefined || isLink) ? follow(root, path) : undefined;
  const found = led ?? (isLink && question.follow ? follow(stack.root, path) : undefined);
  const file = found?.file ?? plain;
  if (file === undefined) return undefined;
  const { layer, offset, size } = file;
  const content = file.type === 'file' && offset !== undefined ? { layer, offset, size } : undefined;
  return { row: rowOf(found?.path ?? path, file), content };
}

export type Summary = Omit<RootSummary, 'layers'> & {
  layers: Omit<RootSummary['layers'][number], 'digest'>[];
};

function summary(stack: Stack): Summary {
  const counts = { files: 0, directories: 0, links: 0 };
  const largest: Found[] = [];
  const seen = new Set<ShownFile>();
  for (const one of below(stack.root, '', () => true)) {
    const { type, size } = one.file;
    if (type === 'directory') counts.directories += 1;
    else if (type === 'symlink') counts.links += 1;
    else counts.files += 1;
    if (type !== 'file' || seen.has(one.file)) continue;
    seen.add(one.file);
    if (largest.length === MOST_LARGEST && size <= (largest.at(-1)?.file.size ?? 0)) continue;
    largest.push(one);
    largest.sort((a, b) => b.file.size - a.file.size);
    largest.length = Math.min(largest.length, MOST_LARGEST);
  }
  const layers = stack.layers.map((layer, number) => layerSummary(stack, layer, number));
  return {
    ...counts,
    size: stack.root.size,
    wasted: layers.reduce((sum, { wasted }) => sum + wasted, 0),
    layers,
    waste: wasteOf(stack),
    largest: largest.map(({ path, file }) => rowOf(path, file)),
  };
}

function layerSummary(stack: Stack, { entries, unpacked }: Stack['layers'][number], number: number) {
  const effects = [...(stack.effects[number]?.values() ?? [])];
  const replaces = effects.filter(({ kind }) => kind === 'replaces').length;
  const files = entries.filter(({ type }) => type === 'file').length;
  return {
    number,
    unpacked,
    files,
    adds: Math.max(0, files - replaces),
    replaces,
    removes: effects.length - replaces,
    wasted: effects.reduce((sum, { wasted }) => sum + wasted, 0),
  };
}

function wasteOf(stack: Stack): RootSummary['waste'] {
  const byPath = new Map<string, { wasted: number; layers: number[] }>();
  for (const [number, effects] of stack.effects.entries()) {
    for (const [path, { wasted }] of effects) {
      if (wasted === 0) continue;
      const known = byPath.get(path) ?? { wasted: 0, layers: [] };
      known.wasted += wasted;
      known.layers.push(number);
      byPath.set(path, known);
    }
  }
  const sorted = [...byPath].sort(([, a], [, b]) => b.wasted - a.wasted).slice(0, MOST_WASTE);
  return sorted.map(([path, { wasted, layers }]) => ({ path: pathText(path), wasted, layers }));
}

/** All files below a folder, in the order of their paths. @returns undefined where there is no such folder */
export function allFiles(root: ShownFolder, text: string, search?: string): FileRow[] | undefined {
  const path = pathBytes(text).replace(/^\/+|\/+$/g, '');
  const at = find(root, path);
  if (!isFolder(at)) return at === undefined ? undefined : [rowOf(path, at)];
  const words = wordsOf(search);
  const found = [...below(at, path, (one) => matches(pathText(one.path), words))];
  return found.sort(byPath).map((one) => rowOf(one.path, one.file));
}

export function rowOf(path: string, file: ShownFile): FileRow {
  const { type, size, files, mode, uid, gid, mtime, target, device, xattrs, layer, change, wasted } = file;
  return {
    path: pathText(path),
    name: pathText(path.slice(path.lastIndexOf('/') + 1)),
    type,
    size,
    layer,
    ...(isFolder(file) ? { files } : {}),
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(mtime === undefined ? {} : { mtime }),
    ...(target === undefined ? {} : { target: pathText(target) }),
    ...(device === undefined ? {} : { device }),
    ...(xattrs === undefined ? {} : { xattrs: xattrs.map(pathText) }),
    ...(change === undefined ? {} : { change }),
    ...(wasted === undefined ? {} : { wasted }),
  };
}
