// SPDX-License-Identifier: Apache-2.0
export { exportLayout } from './export-layout.ts';
export { openContentStore } from './open-store.ts';
export type { ContentStore } from './store.ts';
