// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';

/** What push and pull report of one blob or manifest. `done` comes last, once for each. */
export interface TransferEvent {
  phase: 'start' | 'progress' | 'done';
  digest: Digest;
  mediaType: string;
  /** The role of a layer of ours (`kernel`, `deps`, …), `config` of an image's config, `manifest`, or undefined. */
  what: string | undefined;
  /** Bytes in all. */
  size: number;
  /** Bytes so far. */
  transferred: number;
  /** At `done`: how it got there. */
  outcome?: 'exists' | 'mounted' | 'transferred';
}

export interface TransferOptions {
  onProgress?: (event: TransferEvent) => void;
  signal?: AbortSignal;
  /** Blobs at once. Default: 3. */
  concurrency?: number;
}

export interface Pulled {
  /** What the reference points at, and what the store's name points at now: a manifest or an index. */
  descriptor: Descriptor;
  /** The manifest that was pulled: `descriptor`, or the one chosen from the index. */
  manifest: Descriptor;
  /** The name in the store. */
  name: string;
}
