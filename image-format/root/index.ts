// SPDX-License-Identifier: Apache-2.0
export * from './apply-layer.ts';
export * from './kept-tree.ts';
export * from './layer-index.ts';
export * from './tree.ts';
