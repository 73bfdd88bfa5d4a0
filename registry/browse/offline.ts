// SPDX-License-Identifier: Apache-2.0
/*
 * What looking into images needs besides a registry: the same code for images of any registry, and of a store on this
 * machine. The command line uses it.
 */
export { changesOf, compareLayers, valuesOf } from './compare/changes.ts';
export { allFiles } from './files/ask.ts';
export { compareRoots } from './files/compare-roots.ts';
export type { IndexedLayer } from './files/indexed-layer.ts';
export { type IndexLimits, makeIndex } from './files/make-index.ts';
export { Stack } from './files/stack.ts';
export { parseKconfig } from './image/kconfig.ts';
export { runConfig } from './image/run-config.ts';
export { whyUnreadable } from './image/unreadable.ts';
export type { ComparedFile, ComparedLayer, FileRow, RepositoryPage, TagPage, ValueChange } from './types.ts';
