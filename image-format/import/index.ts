// SPDX-License-Identifier: Apache-2.0
export { archivedNames } from './docker-archive.ts';
export { importImage } from './import-image.ts';
export { type ArchiveSource, type ImageSource, type LayoutSource, parseSource } from './source.ts';
