// SPDX-License-Identifier: Apache-2.0
export { type Loaded, loadArchive } from './load-archive.ts';
export { saveArchive } from './save-archive.ts';
