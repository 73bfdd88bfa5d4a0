// SPDX-License-Identifier: Apache-2.0
import {
  applyLayer,
  type Directory,
  type Effect,
  type Inode,
  impliedDirectory,
} from '../../../image-format/root/index.ts';
import type { IndexedLayer } from './indexed-layer.ts';
import { type Effects, type ShownFolder, showLayer, showRoot } from './shown-file.ts';

/** The layers of an image, put over one another. */
export class Stack {
  readonly layers: readonly IndexedLayer[];
  readonly root: ShownFolder;
  readonly effects: readonly Effects[];
  readonly #shown = new Map<number, ShownFolder>();

  /** @throws ImageError `LAYER_INVALID` for layers that no engine could unpack, naming the path */
  constructor(layers: readonly IndexedLayer[]) {
    this.layers = layers;
    const root: Directory = impliedDirectory();
    this.effects = layers.map(({ entries }, number) => {
      const effects = new Map<string, { kind: Effect['kind']; wasted: number }>();
      applyLayer(root, entries, number, ({ kind, path, before }) => {
        effects.set(path, { kind, wasted: (effects.get(path)?.wasted ?? 0) + bytesOf(before) });
      });
      return effects;
    });
    this.root = showRoot(root, layers);
  }

  /** What one layer has, and what it does to those below. */
  layer(number: number): ShownFolder | undefined {
    const layer = this.layers[number];
    if (layer === undefined) return undefined;
    const shown = this.#shown.get(number) ?? showLayer(layer, number, this.effects[number]);
    this.#shown.set(number, shown);
    return shown;
  }
}

function bytesOf(inode: Inode): number {
  if (inode.type === 'file') return inode.size;
  if (inode.type !== 'directory') return 0;
  let sum = 0;
  for (const child of inode.children.values()) sum += bytesOf(child);
  return sum;
}
