// SPDX-License-Identifier: Apache-2.0
export { type BrowseOptions, createBrowse } from './browse.ts';
export type { Browse, OpenFile } from './contract.ts';
export type * from './types.ts';
