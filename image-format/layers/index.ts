// SPDX-License-Identifier: Apache-2.0
export { decompress } from './decompress.ts';
export { detectCompression, peek } from './detect-compression.ts';
export * from './entry.ts';
export { FileNames } from './file-names.ts';
export { comparePaths } from './path-name.ts';
export { type ReadLayerOptions, readLayer } from './read-layer.ts';
export { padding } from './ustar.ts';
export { verifyDiffId } from './verify-diff-id.ts';
export { type WriteLayerOptions, type WrittenLayer, writeLayer } from './write-layer.ts';
export { headers, type TarEntry, writeTar } from './write-tar.ts';
