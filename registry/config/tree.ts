// SPDX-License-Identifier: Apache-2.0

/** Settings in their places, not yet checked. */
export type Tree = { [name: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param path names, joined by `.` */
export function find(tree: Tree, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (isTree(at) ? at[name] : undefined), tree);
}

/** Sets what stands at a path, and makes what is missing above it. */
export function place(tree: Tree, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at = tree;
  for (const name of names) {
    const below = at[name];
    if (isTree(below)) at = below;
    else {
      const made: Tree = {};
      at[name] = made;
      at = made;
    }
  }
  at[last] = value;
}
