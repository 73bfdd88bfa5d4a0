// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION, LAYER_ROLES } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { isManifestType } from '../layout/reach.ts';
import { layerCompression } from '../media-types.ts';

/** What push and pull report of one blob or manifest. `done` comes last, once for each. */
export interface TransferEvent {
  phase: 'start' | 'progress' | 'done';
  digest: Digest;
  mediaType: string;
  /** The role of a layer of ours (`kernel`, `deps`, …), `layer` of others, `manifest`, or `image config`. */
  what: string;
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
  /** Blobs at once. Default: 3 for a push, 6 for a pull. */
  concurrency?: number;
}

/** What a pull is going to do, known before the first byte of a layer. */
export interface TransferPlan {
  /** Of the image, as `formatReference` gives it. */
  name: string;
  /** Config and layers. */
  blobs: number;
  /** Bytes of all of them. */
  total: number;
  /** Bytes of those that the store has already, mostly for other images. */
  shared: number;
  /** Bytes that an earlier pull has left of others. */
  resumed: number;
  /** Bytes that are to come. */
  missing: number;
}

export const DEFAULT_CONCURRENCY = 3;

export interface Pulled {
  /** What the reference points at, and what the store's name points at now: a manifest or an index. */
  descriptor: Descriptor;
  /** The manifest that was pulled: `descriptor`, or the one chosen from the index. */
  manifest: Descriptor;
  /** The name in the store. */
  name: string;
}

/** Reports on one blob or manifest. */
export class Report {
  readonly #descriptor: Descriptor;
  readonly #onProgress: (event: TransferEvent) => void;

  constructor(descriptor: Descriptor, { onProgress = () => {} }: TransferOptions) {
    this.#descriptor = descriptor;
    this.#onProgress = onProgress;
    this.#send('start', 0);
  }

  progress(transferred: number): void {
    this.#send('progress', transferred);
  }

  done(outcome: 'exists' | 'mounted' | 'transferred'): void {
    this.#send('done', this.#descriptor.size, outcome);
  }

  #send(phase: TransferEvent['phase'], transferred: number, outcome?: TransferEvent['outcome']): void {
    const { digest, mediaType, size } = this.#descriptor;
    const what = kindOf(this.#descriptor);
    this.#onProgress({
      phase,
      digest,
      mediaType,
      what,
      size,
      transferred,
      ...(outcome === undefined ? {} : { outcome }),
    });
  }
}

function kindOf({ mediaType, annotations }: Descriptor): string {
  if (isManifestType(mediaType)) return 'manifest';
  // Whoever made the manifest wrote what it says of roles, and this is shown on terminals.
  const said = annotations?.[ANNOTATION.layerRole];
  const role = LAYER_ROLES.find((known) => known === said);
  if (role !== undefined) return role;
  return said === undefined && layerCompression(mediaType) === undefined ? 'image config' : 'layer';
}
