// SPDX-License-Identifier: Apache-2.0

export { isMissing, syncFolder } from './durable.ts';
export { exportLayout } from './export-layout.ts';
export { IngestFolder } from './ingest.ts';
export { openContentStore } from './open-store.ts';
export type { ContentStore } from './store.ts';
